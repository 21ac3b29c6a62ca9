"""Invitations: for one address, for seven days, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from core.api import invitation_token
from core.clock import utcnow
from core.db import uuid7
from core.orgs import Member
from core.orgs import invitations as service
from core.orgs.models import Invitation
from core.users import User
from tests.identity.teams import code_of, found, give, join, put_out, roles
from tests.identity.world import Person, World, crowd, statuses

BOB = "bob@example.org"


@pytest.fixture
def ann(world: World) -> Person:
    """Owner of acme."""
    person = world.person("ann@example.org")
    found(person, "acme")
    return person


@pytest.fixture
def bob(world: World) -> Person:
    return world.person(BOB)


@pytest.fixture
def eve(world: World) -> Person:
    """Owner of another organisation."""
    person = world.person("eve@example.org")
    found(person, "evil")
    return person


def _invite(who: Person, email: str = BOB, org: str = "acme", **more: Any) -> Any:
    return who.call("POST", f"/orgs/{org}/invitations", json={"email": email, **more})


def _pending(who: Person, org: str = "acme") -> list[dict[str, Any]]:
    return list(who.call("GET", f"/orgs/{org}/invitations").json["items"])


def _token(world: World, invitation: dict[str, Any]) -> str:
    with world.app.app_context():
        return invitation_token(UUID(invitation["id"]))


def _accept(who: Person, token: str) -> Any:
    return who.call("POST", f"/invitations/{token}/accept")


def test_whoever_is_invited_joins(world: World, ann: Person, bob: Person) -> None:
    made = _invite(ann, "  BOB@Example.org ", role="admin")
    assert made.status_code == 201
    assert set(made.json) == {"id", "email", "role", "invitedBy", "createdAt", "expiresAt"}
    assert _pending(ann) == [made.json]

    answer = _accept(bob, _token(world, made.json))

    assert answer.status_code == 200
    assert (answer.json["slug"], answer.json["role"]) == ("acme", "admin")
    assert roles(bob, "acme") == {"ann@example.org": "owner", BOB: "admin"}
    assert _pending(ann) == []
    assert world.events("member.added")[-1] == {"user_id": bob.me()["id"], "role": "admin"}


def test_without_an_account_one_registers_first(world: World, ann: Person) -> None:
    made = _invite(ann, "new@example.org").json

    person = world.person("new@example.org")

    assert _accept(person, _token(world, made)).json["role"] == "member"


def test_it_is_for_one_address(world: World, ann: Person, bob: Person, eve: Person) -> None:
    token = _token(world, _invite(ann).json)

    assert code_of(_accept(eve, token)) == (403, "other_address")
    assert eve.call("GET", "/orgs/acme").status_code == 404
    assert world.app.test_client().post(f"/api/v1/invitations/{token}/accept").status_code == 401
    assert _accept(bob, token).status_code == 200


def test_it_works_once(world: World, ann: Person, bob: Person) -> None:
    token = _token(world, _invite(ann).json)
    assert _accept(bob, token).status_code == 200
    assert _accept(bob, token).status_code == 404

    assert put_out(ann, "acme", bob).status_code == 204

    assert _accept(bob, token).status_code == 404
    assert bob.call("GET", "/orgs/acme").status_code == 404


def test_of_a_crowd_with_one_invitation_one_joins(world: World, ann: Person, bob: Person) -> None:
    token = _token(world, _invite(ann).json)

    answers = crowd(lambda _: _accept(bob, token))

    assert statuses(answers) == {200: 1, 404: 23}
    mine = select(func.count(Member.id)).where(Member.user_id == world.user_id(BOB))
    assert world.execute(mine).scalar_one() == 2
    assert len(world.events("member.added")) == 1


def test_of_a_crowd_that_invites_one_address_one_invitation_is_left(world: World, ann: Person) -> None:
    answers = crowd(lambda _: _invite(ann), size=8)

    assert statuses(answers) == {201: 8}
    assert len(_pending(ann)) == 1


def test_it_dies_after_seven_days(world: World, ann: Person, bob: Person) -> None:
    made = _invite(ann).json
    token = _token(world, made)
    left = select(Invitation.expires_at)
    assert world.execute(left).scalar_one() - utcnow() == pytest.approx(
        timedelta(days=7), abs=timedelta(minutes=1)
    )

    world.execute(update(Invitation).values(expires_at=utcnow()))

    assert _accept(bob, token).status_code == 404
    assert _pending(ann) == []
    with pytest.raises(LookupError):
        _token(world, made)


def test_another_one_voids_the_one_before(world: World, ann: Person, bob: Person) -> None:
    old = _token(world, _invite(ann, role="admin").json)
    new = _token(world, _invite(ann, role="viewer").json)

    assert _accept(bob, old).status_code == 404
    assert _accept(bob, new).json["role"] == "viewer"


def test_it_can_be_withdrawn(world: World, ann: Person, bob: Person, eve: Person) -> None:
    made = _invite(ann).json
    token = _token(world, made)

    for who, org, status in ((eve, "acme", 404), (eve, "evil", 404), (ann, "acme", 204), (ann, "acme", 404)):
        assert who.call("DELETE", f"/orgs/{org}/invitations/{made['id']}").status_code == status
    assert _accept(bob, token).status_code == 404
    assert world.events("invitation.withdrawn") == [{"invitation_id": made["id"], "email": BOB}]


def test_one_that_was_taken_cannot_be_withdrawn(world: World, ann: Person, bob: Person) -> None:
    made = _invite(ann).json
    _accept(bob, _token(world, made))

    assert ann.call("DELETE", f"/orgs/acme/invitations/{made['id']}").status_code == 404


def test_whoever_may_invite_no_more_leaves_no_way_in(world: World, ann: Person, bob: Person) -> None:
    cid = world.person("cid@example.org")
    org = ann.call("GET", "/orgs/acme").json
    join(world, org, bob, "admin")
    token = _token(world, _invite(bob, cid.email, role="admin").json)
    assert give(ann, "acme", bob, "viewer").status_code == 200
    assert _accept(cid, token).status_code == 404

    give(ann, "acme", bob, "admin")
    token = _token(world, _invite(bob, cid.email).json)
    assert put_out(ann, "acme", bob).status_code == 204

    assert _accept(cid, token).status_code == 404


def test_whoever_is_suspended_lets_nobody_in(world: World, ann: Person, bob: Person) -> None:
    token = _token(world, _invite(ann).json)
    world.execute(update(User).where(User.email == ann.email).values(status="suspended"))
    assert _accept(bob, token).status_code == 404

    world.execute(update(User).values(status="active"))
    assert _accept(bob, token).status_code == 200


def test_whoever_was_put_out_elsewhere_invites_nobody_while_it_is_not_felt_yet(
    world: World, ann: Person, bob: Person
) -> None:
    join(world, ann.call("GET", "/orgs/acme").json, bob, "admin")
    assert bob.call("GET", "/orgs/acme/invitations").status_code == 200
    world.execute(delete(Member).where(Member.role == "admin"))  # as another process does

    assert bob.call("GET", "/orgs/acme/invitations").status_code == 200
    assert _invite(bob, "cid@example.org").status_code == 403
    assert _pending(ann) == []


@pytest.mark.parametrize(("role", "status"), [("admin", 201), ("member", 403), ("viewer", 403), (None, 404)])
def test_who_invites(world: World, ann: Person, eve: Person, role: str | None, status: int) -> None:
    if role:
        join(world, ann.call("GET", "/orgs/acme").json, eve, role)

    assert _invite(eve).status_code == status
    listing = eve.call("GET", "/orgs/acme/invitations")
    assert listing.status_code == (200 if status == 201 else status)


def test_members_are_not_invited(world: World, ann: Person, bob: Person) -> None:
    token = _token(world, _invite(ann).json)
    join(world, ann.call("GET", "/orgs/acme").json, bob, "viewer")

    assert code_of(_invite(ann)) == (409, "already_member")
    assert code_of(_accept(bob, token)) == (409, "already_member")
    assert world.execute(select(Invitation.accepted_at)).scalar_one() is None  # nothing half-done


def test_an_address_with_an_account_is_answered_like_one_without(ann: Person, bob: Person) -> None:
    known, unknown = _invite(ann, BOB), _invite(ann, "nobody@example.org")

    assert known.status_code == unknown.status_code == 201
    assert set(known.json) == set(unknown.json)


def test_three_mails_an_hour_to_one_address(strict: World) -> None:
    ann = strict.person("ann@example.org")
    found(ann, "acme")
    found(ann, "other")

    answers = [_invite(ann, org=org) for org in ("acme", "other", "acme", "other")]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert int(answers[3].headers["Retry-After"]) > 3000
    assert strict.register(BOB).status_code == 202  # codes for oneself are counted apart


def test_so_many_may_wait(world: World, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST", 2)
    assert [_invite(ann, f"p{n}@example.org").status_code for n in range(3)] == [201, 201, 409]
    assert _invite(ann, "p1@example.org").status_code == 201


def test_what_the_mail_carries_is_stored_nowhere_and_not_logged(
    world: World, ann: Person, bob: Person, capfd: pytest.CaptureFixture[str]
) -> None:
    token = _token(world, _invite(ann).json)
    _accept(bob, token)

    (stored,) = world.execute(select(Invitation.__table__)).all()
    assert token not in str(stored)
    for value in stored:
        assert _accept(bob, str(value)).status_code == 404
    assert token not in str(world.events("invitation.created"))
    said = "".join(capfd.readouterr())
    assert "/accept" in said
    assert token not in said


@pytest.mark.parametrize("token", ["x", "jst_inv_", "%00", "../../x", "é" * 20, "x" * 3000])
def test_what_is_no_invitation(bob: Person, token: str) -> None:
    assert _accept(bob, token).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "x"},
        {"email": "a@example.org\r\nBcc: b@example.org"},
        {"email": "a@example.org, b@example.org"},
        {"email": BOB, "role": "owner"},
        {"email": BOB, "role": "king"},
        {"email": BOB, "organisationId": "x"},
    ],
)
def test_bad_input(ann: Person, body: dict[str, Any]) -> None:
    assert ann.call("POST", "/orgs/acme/invitations", json=body).status_code == 422
    assert ann.call("DELETE", f"/orgs/acme/invitations/{uuid7()}").status_code == 404
    assert _pending(ann) == []
