"""Twenty-four clients at once, wherever something is good for one use or must never be without."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, insert, select, update
from werkzeug.test import TestResponse

from core.auth import auth, keys, setup, verification_code
from core.auth.models import AuthSession, RefreshToken, SigningKey
from core.clock import utcnow
from core.context import System, within
from core.db import begin, db, uuid7
from core.engine.models import EventRow
from core.orgs import Member, Organisation, invitation_token
from core.testing import Databases, Instance
from core.users import User, UserRole
from tests.attack.crowd import SIZE, crowd, statuses, won
from tests.attack.scene import another_process, instance_of
from tests.identity.world import PASSWORD, Person, World

NEW = "a newly made secret"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    """Core alone: plugins take no part in what is raced for here."""
    with instance_of(tmp_path_factory.mktemp("races"), databases, "notifications") as house:
        yield World(house.app)


@pytest.fixture(scope="module")
def twin(world: World) -> Iterator[World]:
    """The same instance in another process."""
    app = another_process(world.app)
    yield World(app)
    app.extensions["jobstead.db"].dispose()


_numbers = itertools.count()


@pytest.fixture
def email() -> str:
    return f"racer-{next(_numbers)}@example.org"


def either(world: World, twin: World, act: Callable[[World, int], TestResponse]) -> list[TestResponse]:
    """Half of the crowd at each process."""
    return crowd(lambda n: act(world, n), lambda n: act(twin, n))


def wrong(code: str, number: int) -> str:
    return f"{(int(code) + 1 + number) % 1_000_000:06d}"


# --- codes


def test_one_code_verifies_once(world: World, twin: World, email: str) -> None:
    world.register(email)
    code = world.code(email)
    assert len(won(either(world, twin, lambda w, _: w.verify(email, code)))) == 1


def test_wrong_codes_at_once_use_the_tries_up(world: World, twin: World, email: str) -> None:
    world.register(email)
    code = world.code(email)
    assert statuses(either(world, twin, lambda w, n: w.verify(email, wrong(code, n)))) == {400: SIZE}
    assert world.verify(email, code).status_code == 400
    assert world.login(email).status_code == 403


def test_of_many_guesses_at_once_five_are_compared(world: World, twin: World, email: str) -> None:
    """The right code is among them, past the fifth try in one order or another: it holds once or not at all."""
    world.register(email)
    code = world.code(email)
    guesses = [wrong(code, n) for n in range(SIZE - 1)] + [code]
    assert len(won(either(world, twin, lambda w, n: w.verify(email, guesses[n])))) <= 1
    assert world.verify(email, code).status_code == 400


def reset(world: World, email: str, code: str, new: str) -> TestResponse:
    body = {"email": email, "code": code, "newPassword": new}
    return world.app.test_client().put("/api/v1/auth/reset-password", json=body)


def test_one_reset_code_sets_one_password(world: World, twin: World, email: str) -> None:
    person = world.person(email)
    world.post("/auth/forgot-password", {"email": email})
    code = world.code(email)
    answers = either(world, twin, lambda w, n: reset(w, email, code, f"{NEW} {n}"))
    assert len(won(answers)) == 1
    winner = next(n for n, answer in enumerate(answers) if answer.status_code == 200)
    fits = [n for n in range(SIZE) if world.login(email, f"{NEW} {n}").status_code == 200]
    assert fits == [winner]
    assert world.login(email).status_code == 401
    assert person.call("GET", "/auth/me").status_code == 401


def test_trying_a_reset_code_gives_no_more_tries(world: World, twin: World, email: str) -> None:
    """There are two doors for one code: they count together."""
    world.person(email)
    world.post("/auth/forgot-password", {"email": email})
    code = world.code(email)

    def check(on: World, n: int) -> TestResponse:
        return on.post("/auth/verify-otp", {"email": email, "code": wrong(code, n), "purpose": "reset"})

    answers = crowd(lambda n: check(world, n), lambda n: reset(twin, email, wrong(code, n), NEW))
    assert statuses(answers) == {400: SIZE}
    assert reset(world, email, code, NEW).status_code == 400
    assert world.login(email).status_code == 200


def test_two_codes_at_once_leave_one(world: World, twin: World, email: str) -> None:
    """Asking again voids the one before, also where everybody asks at once: guesses do not add up."""
    world.person(email)
    statuses(either(world, twin, lambda w, _: w.post("/auth/forgot-password", {"email": email})))
    sent = [
        e["code_id"] for e in world.events("otp.requested") if e["email"] == email and e["purpose"] == "reset"
    ]

    with world.app.app_context():
        codes = {verification_code(UUID(identifier)) for identifier in sent}
    held = [code for code in codes if _checks(world, email, code)]
    assert len(held) <= 1


def _checks(world: World, email: str, code: str) -> bool:
    return (
        world.post("/auth/verify-otp", {"email": email, "code": code, "purpose": "reset"}).status_code == 200
    )


def test_one_change_of_address_for_one_code(world: World, twin: World, email: str) -> None:
    person, new = world.person(email), f"new-{email}"
    assert (
        person.call(
            "POST", "/auth/change-email", json={"newEmail": new, "currentPassword": PASSWORD}
        ).status_code
        == 202
    )
    body = {"newEmail": new, "code": world.code(new)}

    def confirm(on: World, _n: int) -> TestResponse:
        return Person(on, email, person.tokens).call("POST", "/auth/change-email/confirm", json=body)

    assert len(won(either(world, twin, confirm))) == 1
    assert len([e for e in world.events("email.changed") if e["new"] == new]) == 1


def test_wrong_codes_for_an_address_use_the_tries_up(world: World, email: str) -> None:
    person, new = world.person(email), f"new-{email}"
    person.call("POST", "/auth/change-email", json={"newEmail": new, "currentPassword": PASSWORD})
    code = world.code(new)

    def confirm(given: str) -> TestResponse:
        return person.call("POST", "/auth/change-email/confirm", json={"newEmail": new, "code": given})

    assert statuses(crowd(lambda n: confirm(wrong(code, n)))) == {400: SIZE}
    assert confirm(code).status_code == 400
    assert person.me()["email"] == email


def test_many_who_want_one_address(world: World, email: str) -> None:
    """Two of them with a code of their own each: one has it afterwards."""
    first, second = world.person(f"a-{email}"), world.person(f"b-{email}")
    codes = []
    for person in (first, second):
        person.call("POST", "/auth/change-email", json={"newEmail": email, "currentPassword": PASSWORD})
        codes.append(world.code(email))

    def confirm(person: Person, code: str) -> TestResponse:
        return person.call("POST", "/auth/change-email/confirm", json={"newEmail": email, "code": code})

    answers = crowd(
        lambda _: confirm(first, codes[0]),
        lambda _: confirm(second, codes[1]),
        lambda _: world.register(email),
    )
    statuses(answers)
    assert len([p for p in (first, second) if p.me()["email"] == email]) <= 1


def test_one_account_an_address(world: World, twin: World, email: str) -> None:
    answers = either(world, twin, lambda w, n: w.register(email if n % 2 else email.upper(), f"{NEW} {n}"))
    assert statuses(answers) == {202: SIZE}
    personal = select(Organisation.id).where(Organisation.created_by == world.user_id(email))
    assert len(world.execute(personal).all()) == 1
    assert world.verify(email, world.code(email)).status_code == 200
    assert len([n for n in range(SIZE) if world.login(email, f"{NEW} {n}").status_code == 200]) <= 1


def test_no_more_mails_than_an_hour_allows(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> None:
    with instance_of(
        tmp_path_factory.mktemp("strict"), databases, "notifications", JOBSTEAD_LIMITS_SCALE="1"
    ) as house:
        world = World(house.app)
        for address in ("known@example.org", "unknown@example.org"):
            if address.startswith("known"):
                house.person(address)
            answers = crowd(
                lambda _, address=address: world.post("/auth/forgot-password", {"email": address})
            )
            counted = statuses(answers)
            assert counted[202] <= 3, counted
            assert counted[429] >= SIZE - 3, counted


# --- sessions


ELSEWHERE = {"User-Agent": "a thief's"}


def renew(on: World, token: str, **headers: str) -> TestResponse:
    return on.post("/auth/refresh", {"refreshToken": token}, headers=headers)


def test_a_refresh_token_has_one_successor(world: World, twin: World, email: str) -> None:
    """However often one client asks at once; and a copy that comes from elsewhere ends the family."""
    old = world.person(email).tokens["refreshToken"]
    served = won(either(world, twin, lambda w, _: renew(w, old)))
    successors = {(answer.json or {})["refreshToken"] for answer in served}
    assert len(successors) <= 1
    assert len(living(world, email)) <= 1
    assert renew(twin, old, **ELSEWHERE).status_code == 401
    assert living(world, email) == []
    for token in (old, *successors):
        assert renew(world, token).status_code == 401


def test_two_who_have_one_refresh_token(world: World, twin: World, email: str) -> None:
    """Its owner and a thief at the same moment: whoever comes second shows it, and nobody has anything."""
    old = world.person(email).tokens["refreshToken"]
    answers = crowd(lambda _: renew(world, old), lambda _: renew(twin, old, **ELSEWHERE))
    successors = {(answer.json or {})["refreshToken"] for answer in won(answers)}
    assert len(successors) <= 1
    assert living(world, email) == []
    for token in successors:
        assert renew(world, token).status_code == 401
        assert renew(world, token, **ELSEWHERE).status_code == 401


def living(world: World, email: str) -> list[Any]:
    """Refresh tokens of somebody that hold."""
    unused = (
        select(RefreshToken.id)
        .join(AuthSession, AuthSession.id == RefreshToken.session_id)
        .where(RefreshToken.used_at.is_(None), AuthSession.revoked_at.is_(None))
    )
    return list(world.execute(unused.where(AuthSession.user_id == world.user_id(email))).all())


def test_logging_out_while_refreshing_leaves_nothing(world: World, twin: World, email: str) -> None:
    person = world.person(email)
    body = {"refreshToken": person.tokens["refreshToken"]}
    answers = crowd(
        lambda _: Person(world, email, person.tokens).call("POST", "/auth/logout"),
        lambda _: twin.post("/auth/refresh", body),
    )
    statuses(answers)
    for answer in answers:
        if "refreshToken" in (answer.json or {}):
            assert (
                world.post("/auth/refresh", {"refreshToken": answer.json["refreshToken"]}).status_code == 401
            )  # type: ignore[index]


def test_logging_in_while_the_password_changes(world: World, email: str) -> None:
    """Whoever got in with the old one is out when all is over."""
    person = world.person(email)
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    answers = crowd(
        lambda _: world.login(email),
        lambda _: Person(world, email, person.tokens).call("PUT", "/auth/change-password", json=body),
    )
    statuses(answers)
    changed = [a for a in answers[1::2] if a.status_code == 200]
    assert len(changed) == 1
    for answer in answers[::2]:
        if answer.status_code == 200:
            assert (
                world.post("/auth/refresh", {"refreshToken": answer.json["refreshToken"]}).status_code == 401
            )  # type: ignore[index]


def superadmin(world: World, email: str) -> Person:
    person = world.person(email)
    world.execute(insert(UserRole.__table__).values(user_id=world.user_id(email), role="superadmin"))
    return person


def test_logging_in_while_being_suspended(world: World, twin: World, email: str) -> None:
    """A session that was begun in that moment is none when the person is let in again."""
    world.person(email)
    boss = superadmin(world, f"boss-{email}")
    path = f"/users/{world.user_id(email)}/suspend"
    answers = crowd(
        lambda n: twin.login(email),
        lambda n: boss.call("POST", path, json={}) if n == 1 else twin.login(email),
    )
    statuses(answers)
    assert answers[1].status_code == 200
    assert boss.call("POST", path, json={"suspended": False}).status_code == 200
    for answer in answers:
        _ended(world, answer)


def test_being_suspended_while_the_password_is_looked_at(
    world: World, twin: World, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with the order decided: the slow part of signing in is when it happens."""
    world.person(email)
    boss = superadmin(world, f"boss-{email}")
    path = f"/users/{world.user_id(email)}/suspend"
    passwords = auth(twin.app).passwords
    verify = passwords.verify

    def slowly(stored: str | None, password: str) -> bool:
        right = verify(stored, password)
        assert boss.call("POST", path, json={}).status_code == 200
        return right

    monkeypatch.setattr(passwords, "verify", slowly)
    answer = twin.login(email)
    assert boss.call("POST", path, json={"suspended": False}).status_code == 200
    _ended(world, answer)
    assert answer.status_code in (401, 403)


def _ended(world: World, answer: TestResponse) -> None:
    token = (answer.json or {}).get("refreshToken")
    if token:
        assert world.post("/auth/refresh", {"refreshToken": token}).status_code == 401


# --- organisations


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


# --- the instance


def test_the_first_admin_is_one(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> None:
    with instance_of(tmp_path_factory.mktemp("setup"), databases, "notifications") as house:
        link = setup.issue_link(house.app)
        assert link is not None
        token, world = link.partition("token=")[2], World(house.app)

        def complete(n: int) -> TestResponse:
            body = {"token": token, "email": f"admin-{n}@example.org", "password": PASSWORD, "name": "A"}
            return world.post("/auth/setup", body)

        def form(n: int) -> TestResponse:
            body = {"token": token, "email": f"admin-{n}@example.org", "password": PASSWORD, "name": "A"}
            return house.app.test_client().post("/setup", data=body)

        assert len(won(crowd(complete, form))) == 1
        assert len(world.execute(select(UserRole.user_id).where(UserRole.role == "superadmin")).all()) == 1
        assert (
            world.post(
                "/auth/setup", {"token": token, "email": "x@example.org", "password": PASSWORD}
            ).status_code
            == 403
        )
        assert setup.issue_link(house.app) is None


def test_superadmins_who_put_each_other_down(world: World, twin: World, email: str) -> None:

    world.execute(delete(UserRole.__table__).where(UserRole.role == "superadmin"))
    bosses = [world.person(f"{n}-{email}") for n in range(2)]
    ids = [world.user_id(boss.email) for boss in bosses]
    for user in ids:
        world.execute(insert(UserRole.__table__).values(user_id=user, role="superadmin"))

    def act(on: World, who: int, way: int) -> TestResponse:
        person = Person(on, bosses[who].email, bosses[who].tokens)
        other = f"/users/{ids[1 - who]}"
        if way == 0:
            return person.call("PUT", f"{other}/role", json={"role": "user"})
        if way == 1:
            return person.call("POST", f"{other}/suspend", json={})
        return person.call("DELETE", other)

    statuses(
        crowd(
            *[
                lambda _, w=w, who=who, way=way: act(w, who, way)
                for w, who in ((world, 0), (twin, 1))
                for way in range(3)
            ]
        )
    )

    left = world.execute(
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .where(UserRole.role == "superadmin", User.status == "active")
    ).all()
    assert len(left) == 1


def test_signing_keys_made_at_once_are_one(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(keys, "BITS", 2048)
    with instance_of(tmp_path_factory.mktemp("keys"), databases, "notifications") as house:
        world = World(house.app)
        world.execute(delete(SigningKey.__table__))
        apps = [another_process(house.app) for _ in range(2)]
        answers = crowd(*[lambda _, app=app: app.test_client().get("/.well-known/jwks.json") for app in apps])
        assert statuses(answers) == {200: SIZE}
        assert len({answer.text for answer in answers}) == 1
        for app in apps:
            app.extensions["jobstead.db"].dispose()


def test_callers_are_not_mixed_up(house: Instance) -> None:
    """Thirty-two threads, each somebody else: everybody sees themselves alone."""
    people = [house.person(f"thread-{n}@example.org") for n in range(32)]

    def act(n: int) -> TestResponse:
        for _ in range(6):
            answer = people[n].get("/auth/me")
            assert (answer.json or {})["email"] == people[n].email
            anonymous = house.app.test_client().get("/api/v1/auth/me")
            assert anonymous.status_code == 401
        return answer

    assert statuses(crowd(act, size=32)) == {200: 32}
