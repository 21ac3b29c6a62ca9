"""Organisations, twenty-four clients at once: one way in a time, and never without an owner."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from werkzeug.test import TestResponse

from core.clock import utcnow
from core.context import System, within
from core.db import begin, db, uuid7
from core.engine.models import EventRow
from core.orgs import Member, Organisation, invitation_token
from core.users import User
from tests.attack.crowd import crowd, either, statuses, won
from tests.attack.people import superadmin
from tests.identity.world import Person, World


def founded(owner: Person, slug: str) -> dict[str, Any]:
    answer = owner.call("POST", "/orgs", json={"name": slug, "slug": slug})
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def invited(owner: Person, slug: str, email: str, role: str = "member") -> str:
    answer = owner.call("POST", f"/orgs/{slug}/invitations", json={"email": email, "role": role})
    assert answer.status_code == 201, answer.text
    with owner.world.app.app_context():
        return invitation_token(UUID((answer.json or {})["id"]))


def owners(world: World, slug: str) -> int:
    held = select(Member.id).join(Organisation, Organisation.id == Member.organisation_id)
    return len(world.execute(held.where(Organisation.slug == slug, Member.role == "owner")).all())


def test_an_invitation_lets_one_in_once(world: World, twin: World, email: str) -> None:
    owner, guest = world.person(email), world.person(f"guest-{email}")
    slug = f"inv-{email.split('@')[0]}"
    founded(owner, slug)
    token = invited(owner, slug, guest.email)

    def accept(on: World, _n: int) -> TestResponse:
        return Person(on, guest.email, guest.tokens).call("POST", f"/invitations/{token}/accept")

    assert len(won(either(world, twin, accept))) == 1
    assert [o["slug"] for o in guest.me()["organisations"]].count(slug) == 1
    assert guest.call("POST", f"/invitations/{token}/accept").status_code == 404


def test_withdrawing_while_accepting(world: World, twin: World, email: str) -> None:
    owner, guest = world.person(email), world.person(f"guest-{email}")
    slug = f"wit-{email.split('@')[0]}"
    founded(owner, slug)
    token = invited(owner, slug, guest.email)
    waiting = owner.call("GET", f"/orgs/{slug}/invitations").json["items"][0]["id"]  # type: ignore[index]
    answers = crowd(
        lambda _: Person(twin, guest.email, guest.tokens).call("POST", f"/invitations/{token}/accept"),
        lambda _: owner.call("DELETE", f"/orgs/{slug}/invitations/{waiting}"),
    )
    assert len(won(answers)) == 1
    inside = slug in [o["slug"] for o in guest.me()["organisations"]]
    assert inside == any(answer.status_code < 300 for answer in answers[::2])


def test_many_invitations_of_one_address_leave_one(world: World, email: str) -> None:
    owner = world.person(email)
    slug = f"man-{email.split('@')[0]}"
    founded(owner, slug)
    statuses(crowd(lambda n: owner.call("POST", f"/orgs/{slug}/invitations", json={"email": f"x-{email}"})))
    assert len(owner.call("GET", f"/orgs/{slug}/invitations").json["items"]) == 1  # type: ignore[index]


def put_in(world: World, slug: str, person: Person, role: str) -> None:

    org = world.execute(select(Organisation.id).where(Organisation.slug == slug)).scalar_one()
    row = {"id": uuid7(), "organisation_id": org, "user_id": world.user_id(person.email), "role": role}
    world.execute(insert(Member.__table__).values(**row))


def test_handing_over_makes_one_owner(world: World, twin: World, email: str) -> None:
    owner = world.person(email)
    slug = f"han-{email.split('@')[0]}"
    founded(owner, slug)
    heirs = [world.person(f"{n}-{email}") for n in range(4)]
    for heir in heirs:
        put_in(world, slug, heir, "member")
    ids = [str(world.user_id(heir.email)) for heir in heirs]

    def hand_over(on: World, n: int) -> TestResponse:
        return Person(on, email, owner.tokens).call(
            "POST", f"/orgs/{slug}/transfer", json={"userId": ids[n % 4]}
        )

    assert len(won(either(world, twin, hand_over))) == 1
    assert owners(world, slug) == 1


def test_two_owners_who_leave_at_once(world: World, twin: World, email: str) -> None:
    first, second = world.person(email), world.person(f"second-{email}")
    slug = f"lea-{email.split('@')[0]}"
    founded(first, slug)
    put_in(world, slug, second, "owner")
    ids = [world.user_id(person.email) for person in (first, second)]

    def leave(on: World, who: Person, user: UUID) -> TestResponse:
        return Person(on, who.email, who.tokens).call("DELETE", f"/orgs/{slug}/members/{user}")

    answers = crowd(
        lambda _: leave(world, first, ids[0]),
        lambda _: leave(twin, second, ids[1]),
        lambda _: leave(twin, first, ids[1]),
        lambda _: leave(world, second, ids[0]),
    )
    statuses(answers)
    assert owners(world, slug) == 1


def test_two_owners_who_put_each_other_down(world: World, twin: World, email: str) -> None:
    first, second = world.person(email), world.person(f"second-{email}")
    slug = f"put-{email.split('@')[0]}"
    founded(first, slug)
    put_in(world, slug, second, "owner")
    ids = [world.user_id(person.email) for person in (first, second)]

    def demote(on: World, who: Person, user: UUID) -> TestResponse:
        return Person(on, who.email, who.tokens).call(
            "PUT", f"/orgs/{slug}/members/{user}", json={"role": "viewer"}
        )

    statuses(
        crowd(
            lambda _: demote(world, first, ids[1]),
            lambda _: demote(twin, second, ids[0]),
            lambda _: demote(twin, first, ids[0]),
        )
    )
    assert owners(world, slug) == 1


def test_deleting_people_and_handing_over_at_once_leaves_an_owner(
    world: World, twin: World, email: str
) -> None:
    owner, heir = (world.person(f"{who}-{email}") for who in ("owner", "heir"))
    boss = superadmin(world, f"boss-{email}")
    slug = f"del-{email.split('@')[0]}"
    founded(owner, slug)
    put_in(world, slug, heir, "member")
    heir_id = world.user_id(heir.email)
    answers = crowd(
        lambda _: Person(twin, owner.email, owner.tokens).call(
            "POST", f"/orgs/{slug}/transfer", json={"userId": str(heir_id)}
        ),
        lambda _: boss.call("DELETE", f"/users/{heir_id}"),
    )
    statuses(answers)

    standing = (
        world.execute(
            select(User.status)
            .join(Member, Member.user_id == User.id)
            .join(Organisation, Organisation.id == Member.organisation_id)
            .where(Organisation.slug == slug, Member.role == "owner")
        )
        .scalars()
        .all()
    )
    assert list(standing) == ["active"]


def test_deleting_and_keeping_an_organisation_at_once(world: World, twin: World, email: str) -> None:
    owner = world.person(email)
    slug = f"end-{email.split('@')[0]}"
    founded(owner, slug)
    answers = crowd(
        lambda _: owner.call("DELETE", f"/orgs/{slug}"),
        lambda _: Person(twin, email, owner.tokens).call("POST", f"/orgs/{slug}/restore"),
    )
    assert set(statuses(answers)) <= {200, 202}
    shown = owner.call("GET", f"/orgs/{slug}").json or {}
    told = [
        e.type
        for e in _events_of(world, UUID(shown["id"]))
        if e.type in ("organisation.deletion_scheduled", "organisation.restored")
    ]
    assert told == [
        ("organisation.deletion_scheduled", "organisation.restored")[n % 2] for n in range(len(told))
    ]
    assert (shown["deletesAt"] is None) == (not told or told[-1] == "organisation.restored")


def _events_of(world: World, org: UUID) -> list[Any]:

    with world.app.app_context(), begin(write=False), within(System("look")):
        rows = select(EventRow).where(EventRow.organisation_id == org).order_by(EventRow.id)
        return list(db.session.scalars(rows).all())


def test_an_organisation_whose_time_has_come_is_not_kept(world: World, email: str) -> None:
    """The job that deletes it may be half through: whoever was let in a moment ago cannot call it off."""
    owner = world.person(email)
    slug = f"too-{email.split('@')[0]}"
    org = founded(owner, slug)
    assert owner.call("DELETE", f"/orgs/{slug}").status_code == 202
    assert owner.call("GET", f"/orgs/{slug}").status_code == 200  # remembered for five seconds
    world.execute(update(Organisation).where(Organisation.id == UUID(org["id"])).values(deletes_at=utcnow()))
    assert owner.call("POST", f"/orgs/{slug}/restore").status_code in (404, 409)
    kept = world.execute(
        select(Organisation.deletes_at).where(Organisation.id == UUID(org["id"]))
    ).scalar_one()
    assert kept is not None


def test_one_slug_is_one_organisation_s(world: World, twin: World, email: str) -> None:
    person, slug = world.person(email), f"one-{email.split('@')[0]}"

    def found(on: World, _n: int) -> TestResponse:
        return Person(on, email, person.tokens).call("POST", "/orgs", json={"name": slug, "slug": slug})

    assert len(won(either(world, twin, found))) == 1
    assert owners(world, slug) == 1
