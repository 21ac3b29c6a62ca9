"""Codes, twenty-four clients at once: one use, five tries, three an hour."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.auth import verification_code
from core.orgs import Organisation
from core.testing import Databases
from tests.attack.crowd import SIZE, crowd, either, statuses, won
from tests.attack.scene import instance_of
from tests.identity.world import PASSWORD, Person, World

NEW = "a newly made secret"


def wrong(code: str, number: int) -> str:
    return f"{(int(code) + 1 + number) % 1_000_000:06d}"


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
    """The right code is among them, past the fifth try or not: it holds once or not at all."""
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
