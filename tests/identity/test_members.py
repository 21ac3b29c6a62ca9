"""Members of an organisation: who sees, changes and removes whom, and that an owner stays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.db import uuid7
from core.orgs import Member
from core.users import User
from core.web import Server
from tests.identity.teams import code_of, five_seconds, found, give, grow_stale, join, put_out, roles
from tests.identity.world import Person, World, crowd, statuses


@pytest.fixture
def ann(world: World) -> Person:
    """Owner of acme."""
    return world.person("ann@example.org")


@pytest.fixture
def bob(world: World) -> Person:
    return world.person("bob@example.org")


@pytest.fixture
def eve(world: World) -> Person:
    """Owner of another organisation."""
    person = world.person("eve@example.org")
    found(person, "evil")
    return person


@pytest.fixture
def acme(ann: Person) -> dict[str, Any]:
    return found(ann, "acme")


def test_members_are_listed_with_their_people(
    world: World, ann: Person, bob: Person, acme: dict[str, Any]
) -> None:
    join(world, acme, bob, "member")

    page = bob.call("GET", "/orgs/acme/members").json

    assert [m["email"] for m in page["items"]] == ["ann@example.org", "bob@example.org"]
    assert set(page["items"][0]) == {"userId", "email", "name", "avatar", "role", "joinedAt"}
    assert page["items"][0]["userId"] == ann.me()["id"]
    owners = bob.call("GET", "/orgs/acme/members?role=owner&limit=1").json
    assert [m["role"] for m in owners["items"]] == ["owner"]
    first = ann.call("GET", "/orgs/acme/members?limit=1").json
    second = ann.call("GET", f"/orgs/acme/members?limit=1&cursor={first['nextCursor']}").json
    assert [m["email"] for m in first["items"] + second["items"]] == ["ann@example.org", "bob@example.org"]


def test_others_reach_nothing_of_it(
    world: World, ann: Person, bob: Person, eve: Person, acme: dict[str, Any]
) -> None:
    join(world, acme, bob, "viewer")
    user = bob.me()["id"]

    for person, status in ((eve, 404), (bob, 403)):
        assert person.call("GET", "/orgs/acme/members").status_code == status
        assert give(person, "acme", bob, "admin").status_code == status
        assert put_out(person, "acme", ann).status_code == status
        body = {"userId": user}
        assert person.call("POST", "/orgs/acme/transfer", json=body).status_code == status
    # from one's own organisation a member of another one is not found
    assert give(eve, "evil", bob, "viewer").status_code == 404
    assert put_out(eve, "evil", bob).status_code == 404
    assert eve.call("POST", "/orgs/evil/transfer", json={"userId": user}).status_code == 404
    assert roles(ann, "acme") == {"ann@example.org": "owner", "bob@example.org": "viewer"}
    client = world.app.test_client()
    for method, path in (
        ("GET", "/orgs/acme/members"),
        ("PUT", f"/orgs/acme/members/{user}"),
        ("DELETE", f"/orgs/acme/members/{user}"),
        ("POST", "/orgs/acme/transfer"),
    ):
        assert client.open(f"/api/v1{path}", method=method, json={}).status_code == 401


@pytest.mark.parametrize(
    ("actor", "target", "role", "status"),
    [
        ("owner", "owner", "viewer", 200),
        ("owner", "member", "owner", 200),
        ("owner", "admin", "member", 200),
        ("admin", "member", "admin", 200),
        ("admin", "admin", "viewer", 200),
        ("admin", "viewer", "member", 200),
        ("admin", "member", "owner", 403),
        ("admin", "owner", "member", 403),
        ("member", "viewer", "member", 403),
        ("member", "member", "admin", 403),
        ("viewer", "viewer", "admin", 403),
    ],
)
def test_who_gives_which_role(
    world: World,
    ann: Person,
    bob: Person,
    acme: dict[str, Any],
    actor: str,
    target: str,
    role: str,
    status: int,
) -> None:
    cid = world.person("cid@example.org")
    join(world, acme, bob, actor)
    join(world, acme, cid, target)

    answer = give(bob, "acme", cid, role)

    assert answer.status_code == status, answer.text
    assert roles(ann, "acme")["cid@example.org"] == (role if status == 200 else target)
    if status == 200:
        assert (answer.json["email"], answer.json["role"]) == ("cid@example.org", role)


@pytest.mark.parametrize("role", ["member", "viewer", "admin"])
def test_nobody_raises_themselves(world: World, bob: Person, acme: dict[str, Any], role: str) -> None:
    join(world, acme, bob, role)

    for wanted in ("owner", "admin"):
        if wanted != role:
            assert give(bob, "acme", bob, wanted).status_code == 403


@pytest.mark.parametrize(
    ("actor", "target", "status"),
    [
        ("owner", "owner", 204),
        ("admin", "admin", 204),
        ("admin", "viewer", 204),
        ("admin", "owner", 403),
        ("member", "viewer", 403),
        ("viewer", "member", 403),
    ],
)
def test_who_removes_whom(
    world: World, ann: Person, bob: Person, acme: dict[str, Any], actor: str, target: str, status: int
) -> None:
    cid = world.person("cid@example.org")
    join(world, acme, bob, actor)
    join(world, acme, cid, target)

    assert put_out(bob, "acme", cid).status_code == status
    assert ("cid@example.org" in roles(ann, "acme")) == (status != 204)
    assert cid.call("GET", "/orgs/acme").status_code == (404 if status == 204 else 200)


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_everybody_may_leave(world: World, ann: Person, bob: Person, acme: dict[str, Any], role: str) -> None:
    join(world, acme, bob, role)

    assert put_out(bob, "acme", bob).status_code == 204
    assert bob.call("GET", "/orgs/acme").status_code == 404
    assert world.events("member.removed")[-1] == {"user_id": bob.me()["id"], "role": role, "left": True}


def test_the_last_owner_neither_leaves_nor_steps_down(
    world: World, ann: Person, bob: Person, acme: dict[str, Any]
) -> None:
    join(world, acme, bob, "admin")

    assert code_of(put_out(ann, "acme", ann)) == (409, "last_owner")
    assert code_of(give(ann, "acme", ann, "admin")) == (409, "last_owner")
    assert give(ann, "acme", bob, "owner").status_code == 200
    assert put_out(ann, "acme", ann).status_code == 204
    assert roles(bob, "acme") == {"bob@example.org": "owner"}


def test_an_owner_who_is_suspended_does_not_count(
    world: World, ann: Person, bob: Person, acme: dict[str, Any]
) -> None:
    join(world, acme, bob, "owner")
    world.execute(update(User).where(User.email == "bob@example.org").values(status="suspended"))

    assert code_of(put_out(ann, "acme", ann)) == (409, "last_owner")


def test_of_owners_who_leave_at_once_one_stays(world: World, ann: Person, acme: dict[str, Any]) -> None:
    owners = [ann, *(world.person(f"owner{number}@example.org") for number in range(5))]
    for owner in owners[1:]:
        join(world, acme, owner, "owner")
    ids = [owner.me()["id"] for owner in owners]

    def act(number: int) -> Any:
        path = f"/orgs/acme/members/{ids[number]}"
        if number % 2:
            return owners[number].call("PUT", path, json={"role": "viewer"})
        return owners[number].call("DELETE", path)

    answers = crowd(act, size=6)

    left = world.execute(select(Member.role).where(Member.role == "owner").join(Member.user)).all()
    assert statuses(answers)[409] == 1
    assert len(left) == 7  # six personal ones and one of acme


def test_owners_who_put_each_other_out_at_once(world: World, ann: Person, acme: dict[str, Any]) -> None:
    bob = world.person("bob@example.org")
    join(world, acme, bob, "owner")
    ids = [ann.me()["id"], bob.me()["id"]]

    crowd(lambda n: (ann, bob)[n % 2].call("DELETE", f"/orgs/acme/members/{ids[1 - n % 2]}"), size=8)

    owners = select(Member.user_id).where(Member.role == "owner", Member.organisation_id == _uuid(acme))
    assert len(world.execute(owners).all()) == 1


def test_owners_are_made_by_who_signed_in_a_moment_ago(
    world: World, ann: Person, bob: Person, acme: dict[str, Any]
) -> None:
    join(world, acme, bob, "member")
    grow_stale(world, ann)

    assert code_of(give(ann, "acme", bob, "owner")) == (403, "fresh_login_required")
    assert give(ann, "acme", bob, "admin").status_code == 200
    assert give(world.signed_in("ann@example.org"), "acme", bob, "owner").status_code == 200


def test_a_personal_organisation_keeps_its_one_owner(world: World, ann: Person, bob: Person) -> None:
    mine = ann.call("GET", f"/orgs/{ann.me()['organisationId']}").json
    join(world, mine, bob, "member")

    assert code_of(give(ann, mine["slug"], bob, "owner")) == (409, "personal_organisation")
    body = {"userId": bob.me()["id"]}
    answer = ann.call("POST", f"/orgs/{mine['slug']}/transfer", json=body)
    assert code_of(answer) == (409, "personal_organisation")
    assert code_of(put_out(ann, mine["slug"], ann)) == (409, "last_owner")


def test_ownership_is_handed_over(world: World, ann: Person, bob: Person, acme: dict[str, Any]) -> None:
    join(world, acme, bob, "viewer")
    body = {"userId": bob.me()["id"]}

    assert bob.call("POST", "/orgs/acme/transfer", json=body).status_code == 403
    answer = ann.call("POST", "/orgs/acme/transfer", json=body)

    assert (answer.status_code, answer.json["role"]) == (200, "owner")
    assert roles(ann, "acme") == {"ann@example.org": "admin", "bob@example.org": "owner"}
    assert ann.call("POST", "/orgs/acme/transfer", json=body).status_code == 403
    again = bob.call("POST", "/orgs/acme/transfer", json=body)
    assert code_of(again) == (409, "already_owner")
    assert world.events("organisation.transferred") == [{"user_id": bob.me()["id"], "before": ann.me()["id"]}]


def test_handing_over_asks_for_a_fresh_sign_in(
    world: World, ann: Person, bob: Person, acme: dict[str, Any]
) -> None:
    join(world, acme, bob, "member")
    body = {"userId": bob.me()["id"]}
    grow_stale(world, ann)
    fresh = ann.world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]})
    refreshed = Person(world, ann.email, dict(fresh.json or {}))

    for who in (ann, refreshed):  # refreshing makes no session younger
        answer = who.call("POST", "/orgs/acme/transfer", json=body)
        assert code_of(answer) == (403, "fresh_login_required")
    assert roles(ann, "acme")["bob@example.org"] == "member"


def test_of_a_crowd_that_hands_over_one_succeeds(world: World, ann: Person, acme: dict[str, Any]) -> None:
    heirs = [world.person(f"heir{number}@example.org") for number in range(4)]
    for heir in heirs:
        join(world, acme, heir, "member")
    ids = [heir.me()["id"] for heir in heirs]

    answers = crowd(
        lambda n: ann.call("POST", "/orgs/acme/transfer", json={"userId": ids[n]}), size=len(heirs)
    )

    assert statuses(answers) == {200: 1, 403: 3}
    assert sorted(roles(ann, "acme").values()) == ["admin", "member", "member", "member", "owner"]


@pytest.mark.parametrize("body", [{}, {"role": "king"}, {"role": 5}, {"role": "member", "x": 1}, []])
def test_bad_input(ann: Person, acme: dict[str, Any], body: Any) -> None:
    path = f"/orgs/acme/members/{ann.me()['id']}"
    assert ann.call("PUT", path, json=body).status_code == 422
    assert ann.call("PUT", f"/orgs/acme/members/{uuid7()}", json={"role": "member"}).status_code == 404
    assert ann.call("PUT", "/orgs/acme/members/me", json={"role": "member"}).status_code == 404
    assert ann.call("POST", "/orgs/acme/transfer", json={"userId": "x"}).status_code == 422


def test_what_others_change_is_felt_in_every_process_within_five_seconds(
    world: World,
    ann: Person,
    bob: Person,
    acme: dict[str, Any],
    make: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    later = five_seconds(monkeypatch)
    join(world, acme, bob, "admin")
    there = Person(World(make()), bob.email, bob.tokens)
    rename = {"json": {"name": "Bob's"}}
    assert there.call("PATCH", "/orgs/acme", **rename).status_code == 200

    assert give(ann, "acme", bob, "viewer").status_code == 200
    assert bob.call("PATCH", "/orgs/acme", **rename).status_code == 403  # at once where it was changed
    later()
    assert there.call("PATCH", "/orgs/acme", **rename).status_code == 403
    assert there.call("GET", "/orgs/acme").status_code == 200
    assert put_out(ann, "acme", bob).status_code == 204
    later()
    assert there.call("GET", "/orgs/acme").status_code == 404


def _uuid(org: dict[str, Any]) -> Any:
    return UUID(org["id"])
