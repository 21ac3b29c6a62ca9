"""A forgotten password: the same answer for everybody, a code that is good for that alone, no session."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update

from core.auth.models import OldPassword
from core.users import User
from core.web import Server
from tests.identity.world import CROWD, PASSWORD, Person, World, crowd, statuses

ANN = "ann@example.org"
NEW = "another good one"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(ANN)


def _forgot(world: World, email: str = ANN) -> Any:
    return world.post("/auth/forgot-password", {"email": email})


def _reset(world: World, code: str, new: str = NEW, email: str = ANN) -> Any:
    body = {"email": email, "code": code, "newPassword": new}
    return world.app.test_client().put("/api/v1/auth/reset-password", json=body)


def test_a_forgotten_password_is_replaced_and_every_session_ends(world: World, ann: Person) -> None:
    phone = world.signed_in(ANN)
    assert _forgot(world).status_code == 202

    answer = _reset(world, world.code(ANN))

    assert (answer.status_code, answer.json) == (200, {"status": "changed"})
    assert "Set-Cookie" not in answer.headers
    for who in (ann, phone):
        assert who.call("GET", "/auth/me").status_code == 401
        assert world.post("/auth/refresh", {"refreshToken": who.tokens["refreshToken"]}).status_code == 401
    assert world.login(ANN, PASSWORD).status_code == 401
    assert world.signed_in(ANN, NEW).me()["email"] == ANN
    assert [e["email"] for e in world.events("password.changed")] == [ANN]


def test_nobody_else_is_touched(world: World, ann: Person) -> None:
    bob = world.person("bob@example.org")
    _forgot(world)
    code = world.code(ANN)

    assert _reset(world, code, email="bob@example.org").status_code == 400
    assert _reset(world, code).status_code == 200
    assert bob.call("GET", "/auth/me").status_code == 200
    world.signed_in("bob@example.org")


def test_known_and_unknown_addresses_are_answered_alike(world: World, ann: Person) -> None:
    world.person("gone@example.org")
    world.execute(update(User).where(User.email == "gone@example.org").values(status="suspended"))
    addresses = (ANN, "gone@example.org", "nobody@example.org")

    asked = [_forgot(world, address) for address in addresses]
    tried = [_reset(world, "000000", email=address) for address in (*addresses, "never@example.org")]

    assert {(a.status_code, a.data) for a in asked} == {(202, b'{"status":"reset_sent"}')}
    assert {(a.status_code, a.json["code"], a.json["detail"]) for a in tried} == {
        (400, "invalid_code", "This code is wrong, used or too old.")
    }
    assert [e["email"] for e in world.events("otp.requested") if e["purpose"] == "reset"] == [ANN]


def test_three_an_hour_for_known_and_unknown_addresses(strict: World) -> None:
    strict.register(ANN)
    answers = [
        [_forgot(strict, email).status_code for _ in range(4)] for email in (ANN, "nobody@example.org")
    ]

    assert answers == [[202, 202, 429, 429], [202, 202, 202, 429]]  # registering was the first of Ann's


def test_a_code_is_good_for_one_purpose(world: World, ann: Person) -> None:
    _forgot(world)
    assert world.verify(ANN, world.code(ANN)).status_code == 400

    world.register("bob@example.org")
    assert _reset(world, world.code("bob@example.org"), email="bob@example.org").status_code == 400


def test_a_code_may_be_tried_before_the_password_is_chosen(world: World, ann: Person) -> None:
    _forgot(world)
    code = world.code(ANN)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"

    def tried(given: str, **more: Any) -> tuple[int, Any]:
        answer = world.post("/auth/verify-otp", {"email": ANN, "code": given, **more})
        return answer.status_code, (answer.json or {}).get("status")

    assert tried(code)[0] == 400
    assert tried(wrong, purpose="reset")[0] == 400
    assert tried(code, purpose="reset") == (200, "verified")
    assert tried(code, purpose="change_email")[0] == 422
    assert _reset(world, code).status_code == 200
    assert tried(code, purpose="reset")[0] == 400


def test_trying_a_code_counts(world: World, ann: Person) -> None:
    _forgot(world)
    body = {"email": ANN, "code": world.code(ANN), "purpose": "reset"}

    answers = crowd(lambda _: world.post("/auth/verify-otp", body))

    assert statuses(answers) == {200: 5, 400: CROWD - 5}
    assert _reset(world, body["code"]).status_code == 400


def test_the_password_there_was_is_refused_and_the_code_still_holds(world: World, ann: Person) -> None:
    _forgot(world)
    code = world.code(ANN)

    for poor in (PASSWORD, "123456", "short", ANN):
        answer = _reset(world, code, poor)
        assert (answer.status_code, set(answer.json["errors"])) == (422, {"newPassword"})
    assert ann.call("GET", "/auth/me").status_code == 200
    assert _reset(world, code).status_code == 200


def test_where_it_is_hardened_the_last_five_are_refused(make: Callable[..., Server]) -> None:
    world = World(make(JOBSTEAD_AUTH__PASSWORD_HISTORY="5"))
    ann, bob = world.person(ANN), world.person("bob@example.org")
    had = [PASSWORD, *(f"{NEW} {n}" for n in range(1, 6))]
    for current, new in pairwise(had[:5]):
        change = {"currentPassword": current, "newPassword": new}
        assert ann.call("PUT", "/auth/change-password", json=change).status_code == 200
    _forgot(world)
    assert _reset(world, world.code(ANN), had[5]).status_code == 200

    _forgot(world)
    code = world.code(ANN)
    assert [_reset(world, code, old).status_code for old in (had[5], had[3], had[1])] == [422] * 3
    assert _reset(world, code, had[0]).status_code == 200  # the sixth last
    assert len(world.execute(select(OldPassword.id)).all()) == 4
    change = {"currentPassword": PASSWORD, "newPassword": had[5]}
    assert bob.call("PUT", "/auth/change-password", json=change).status_code == 200


def test_who_logs_in_while_the_password_is_replaced_is_out(world: World, ann: Person) -> None:
    _forgot(world)
    code = world.code(ANN)

    answers = crowd(lambda n: _reset(world, code) if n == 0 else world.login(ANN), size=8)

    tokens = [answer.json for answer in answers if "accessToken" in (answer.json or {})]
    assert statuses(answers).keys() <= {200, 401}
    for each in tokens:
        assert Person(world, ANN, each).call("GET", "/auth/me").status_code == 401
    world.signed_in(ANN, NEW)


def test_only_who_knows_the_code_learns_what_the_password_was(world: World, ann: Person) -> None:
    _forgot(world)
    wrong = f"{(int(world.code(ANN)) + 1) % 1_000_000:06d}"

    answers = [_reset(world, wrong, PASSWORD), _reset(world, wrong, NEW), _reset(world, wrong, "short")]

    assert {(a.status_code, a.json["code"]) for a in answers} == {(400, "invalid_code")}


def test_of_a_crowd_with_the_right_code_one_is_served(world: World, ann: Person) -> None:
    _forgot(world)
    code = world.code(ANN)

    answers = crowd(lambda n: _reset(world, code, f"{NEW} {n}"))

    assert statuses(answers) == {200: 1, 400: CROWD - 1}
    assert len(world.events("password.changed")) == 1
    assert _reset(world, code).status_code == 400


def test_a_crowd_that_guesses_gets_five_tries_together(world: World, ann: Person) -> None:
    _forgot(world)
    code = world.code(ANN)

    answers = crowd(lambda n: _reset(world, f"{(int(code) + 1 + n) % 1_000_000:06d}"))

    assert statuses(answers) == {400: CROWD}
    assert _reset(world, code).status_code == 400


def test_changing_the_password_voids_the_code(world: World, ann: Person) -> None:
    _forgot(world)
    change = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert ann.call("PUT", "/auth/change-password", json=change).status_code == 200

    assert _reset(world, world.code(ANN), "a third good one").status_code == 400


def test_a_stranger_who_registered_first_is_out(world: World) -> None:
    world.register(ANN, "the stranger's own")
    _forgot(world)

    assert _reset(world, world.code(ANN)).status_code == 200

    assert world.login(ANN, "the stranger's own").status_code == 401
    assert world.signed_in(ANN, NEW).me()["verified"] is True


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "12345"},
        {"code": None},
        {"newPassword": 7},
        {"newPassword": "x" * 257},
        {"email": "no address"},
        {"userId": "1"},
    ],
)
def test_bad_input_is_named(world: World, changes: dict[str, Any]) -> None:
    body = {"email": ANN, "code": "123456", "newPassword": NEW} | changes
    answer = world.app.test_client().put("/api/v1/auth/reset-password", json=body)

    assert answer.status_code == 422
    assert set(answer.json["errors"]) == set(changes)
