"""Moving to another address: with the password, from the new mailbox, told to the old one."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from core.users import User
from tests.identity.world import CROWD, PASSWORD, Person, World, crowd, statuses

ANN, ANNA, BOB = "ann@example.org", "anna@example.net", "bob@example.org"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(ANN)


@pytest.fixture
def bob(world: World) -> Person:
    return world.person(BOB)


def _ask(who: Person, new: str = ANNA, password: str = PASSWORD) -> Any:
    return who.call("POST", "/auth/change-email", json={"newEmail": new, "currentPassword": password})


def _confirm(who: Person, code: str, new: str = ANNA) -> Any:
    return who.call("POST", "/auth/change-email/confirm", json={"newEmail": new, "code": code})


def test_an_account_moves_once_the_new_mailbox_shows_the_code(world: World, ann: Person, bob: Person) -> None:
    phone = world.signed_in(ANN)
    asked = _ask(ann, " Anna@Example.NET ")
    assert (asked.status_code, asked.json) == (202, {"status": "verification_sent"})
    assert ann.me()["email"] == ANN

    answer = _confirm(ann, world.code(ANNA))

    assert (answer.status_code, answer.json) == (200, {"status": "changed"})
    me = ann.me()
    assert (me["email"], me["verified"]) == (ANNA, True)
    assert phone.call("GET", "/auth/me").status_code == 401
    assert world.post("/auth/refresh", {"refreshToken": phone.tokens["refreshToken"]}).status_code == 401
    assert world.login(ANN).status_code == 401
    assert world.signed_in(ANNA).me()["id"] == me["id"]
    assert bob.me()["email"] == BOB
    (event,) = world.events("email.changed")
    assert (event["old"], event["new"], event["ip"]) == (ANN, ANNA, "127.0.0.1")


def test_without_the_password_nothing_is_sent(world: World, ann: Person) -> None:
    answer = _ask(ann, password="wrong")

    assert (answer.status_code, set(answer.json["errors"])) == (422, {"currentPassword"})
    assert [e["purpose"] for e in world.events("otp.requested")] == ["verify_email"]
    assert set(_ask(ann, ANN).json["errors"]) == {"newEmail"}


def test_an_address_that_somebody_has_is_answered_alike(world: World, ann: Person, bob: Person) -> None:
    free, taken = _ask(ann), _ask(ann, BOB)

    assert (free.status_code, free.data) == (taken.status_code, taken.data)
    assert [e["email"] for e in world.events("otp.requested") if e["purpose"] == "change_email"] == [ANNA]
    assert _confirm(ann, "000000", BOB).status_code == 400
    assert _confirm(ann, "000000", "nobody@example.org").status_code == 400
    assert (ann.me()["email"], bob.me()["email"]) == (ANN, BOB)


def test_a_code_is_good_for_who_asked_and_for_that_address(world: World, ann: Person, bob: Person) -> None:
    _ask(ann)
    code = world.code(ANNA)

    assert _confirm(bob, code).status_code == 400
    assert _confirm(ann, code, "other@example.org").status_code == 400
    assert world.verify(ANNA, code).status_code == 400
    reset = {"email": ANNA, "code": code, "newPassword": "another good one"}
    assert world.app.test_client().put("/api/v1/auth/reset-password", json=reset).status_code == 400
    assert _confirm(ann, code).status_code == 200


def test_asking_for_another_address_voids_the_code_before(world: World, ann: Person) -> None:
    _ask(ann)
    first = world.code(ANNA)
    _ask(ann, "third@example.org")

    assert _confirm(ann, first).status_code == 400
    assert _confirm(ann, world.code("third@example.org"), "third@example.org").status_code == 200


def test_of_a_crowd_with_the_right_code_one_is_served(world: World, ann: Person) -> None:
    _ask(ann)
    code = world.code(ANNA)

    answers = crowd(lambda _: _confirm(ann, code))

    assert statuses(answers) == {200: 1, 400: CROWD - 1}
    assert len(world.events("email.changed")) == 1


def test_of_two_who_want_one_address_one_gets_it(world: World, ann: Person, bob: Person) -> None:
    """Each shows that the mailbox is theirs; the newest code is the only one that counts."""
    _ask(ann)
    first = world.code(ANNA)
    _ask(bob)

    assert _confirm(ann, first).status_code == 400
    assert _confirm(bob, world.code(ANNA)).status_code == 200
    assert (ann.me()["email"], bob.me()["email"]) == (ANN, ANNA)


def test_an_address_taken_meanwhile(world: World, ann: Person, bob: Person) -> None:
    _ask(ann)
    world.execute(update(User).where(User.email == BOB).values(email=ANNA))

    answer = _confirm(ann, world.code(ANNA))

    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert ann.me()["email"] == ANN
    assert world.events("email.changed") == []


def test_who_reads_the_old_mailbox_cannot_come_back(world: World, ann: Person) -> None:
    world.post("/auth/forgot-password", {"email": ANN})
    old = world.code(ANN)
    _ask(ann)
    _confirm(ann, world.code(ANNA))

    for email in (ANN, ANNA):
        reset = {"email": email, "code": old, "newPassword": "another good one"}
        assert world.app.test_client().put("/api/v1/auth/reset-password", json=reset).status_code == 400
    world.signed_in(ANNA)


def test_changing_the_password_voids_the_code(world: World, ann: Person) -> None:
    _ask(ann)
    change = {"currentPassword": PASSWORD, "newPassword": "another good one"}
    ann.call("PUT", "/auth/change-password", json=change)

    assert _confirm(ann, world.code(ANNA)).status_code == 400


def test_three_an_hour_whichever_addresses_are_named(strict: World) -> None:
    ann, _ = strict.person(ANN), strict.person(BOB)

    answers = [_ask(ann, address).status_code for address in (ANNA, BOB, "third@example.org", ANNA)]

    assert answers == [202, 202, 202, 429]


@pytest.mark.parametrize("path", ["", "/confirm"])
def test_nobody_known_changes_nothing(world: World, path: str) -> None:
    assert world.post(f"/auth/change-email{path}", {}).status_code == 401


def test_bad_input_is_named(ann: Person) -> None:
    asked = ann.call("POST", "/auth/change-email", json={"newEmail": "no address", "id": 1})
    confirmed = ann.call("POST", "/auth/change-email/confirm", json={"newEmail": ANNA, "code": "12345"})

    assert (asked.status_code, set(asked.json["errors"])) == (422, {"newEmail", "currentPassword", "id"})
    assert (confirmed.status_code, set(confirmed.json["errors"])) == (422, {"code"})
