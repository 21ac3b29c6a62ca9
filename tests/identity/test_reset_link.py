"""The link in the mail about a forgotten password: as good as the code beside it, and no better."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from sqlalchemy import select, update

from core.auth import reset_link
from core.auth.models import Code
from core.clock import utcnow
from core.db import uuid7
from core.users import User
from core.web import Server
from tests.identity.world import CROWD, PASSWORD, Person, World, crowd, statuses

ANN, BOB = "ann@example.org", "bob@example.org"
NEW = "another good one"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(ANN)


def _forgot(world: World, email: str = ANN, **options: Any) -> str:
    """Ask, and give the link of the mail."""
    assert world.post("/auth/forgot-password", {"email": email}, **options).status_code == 202
    return _link(world, email)


def _link(world: World, email: str) -> str:
    sent = [event for event in world.events("otp.requested") if event["email"] == email]
    with world.app.app_context():
        return reset_link(UUID(sent[-1]["code_id"]))


def _token(link: str) -> str:
    return link.partition("?token=")[2]


def _reset(world: World, new: str = NEW, **proof: str) -> Any:
    return world.app.test_client().put("/api/v1/auth/reset-password", json={"newPassword": new, **proof})


def test_a_link_sets_a_password_and_every_session_ends(world: World, ann: Person) -> None:
    link = _forgot(world)

    answer = _reset(world, token=_token(link))

    assert (answer.status_code, answer.json) == (200, {"status": "changed"})
    assert ann.call("GET", "/auth/me").status_code == 401
    assert world.login(ANN, PASSWORD).status_code == 401
    world.signed_in(ANN, NEW)
    assert _reset(world, "a third good one", token=_token(link)).status_code == 400
    assert [e["email"] for e in world.events("password.changed")] == [ANN]


def test_it_begins_with_what_the_operator_says(make: Callable[..., Server]) -> None:
    world = World(make(PUBLIC_URL="https://jobs.example.org/"))
    world.person(ANN)
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Origin": "https://evil.example"}

    assert _forgot(world, headers=evil).startswith("https://jobs.example.org/reset-password?token=jst_rst_")


def test_nothing_stored_or_told_holds_it(world: World, ann: Person) -> None:
    token = _token(_forgot(world))

    secret = token.rpartition("_")[2]
    assert all(secret not in str(row) for row in world.execute(select(Code.__table__)))
    assert all(secret not in str(event) for event in world.events("otp.requested"))


def test_code_and_link_are_one(world: World, ann: Person) -> None:
    link = _forgot(world)
    assert _reset(world, email=ANN, code=world.code(ANN)).status_code == 200
    assert _reset(world, "a third good one", token=_token(link)).status_code == 400

    link = _forgot(world)
    code = world.code(ANN)
    assert _reset(world, "a third good one", token=_token(link)).status_code == 200
    assert _reset(world, email=ANN, code=code).status_code == 400


def test_a_newer_one_voids_it(world: World, ann: Person) -> None:
    first = _forgot(world)
    second = _forgot(world)

    assert _reset(world, token=_token(first)).status_code == 400
    assert _reset(world, token=_token(second)).status_code == 200


def test_it_grows_old(world: World, ann: Person) -> None:
    link = _forgot(world)
    with time_machine.travel(utcnow() + timedelta(minutes=11)):
        assert _reset(world, token=_token(link)).status_code == 400


def test_who_guesses_at_the_code_does_not_take_the_link_away(world: World, ann: Person) -> None:
    link = _forgot(world)
    wrong = f"{(int(world.code(ANN)) + 1) % 1_000_000:06d}"
    assert [_reset(world, email=ANN, code=wrong).status_code for _ in range(6)] == [400] * 6

    assert _reset(world, email=ANN, code=world.code(ANN)).status_code == 400
    assert _reset(world, token=_token(link)).status_code == 200


def test_no_other_code_has_a_link(world: World, ann: Person) -> None:
    world.register(BOB)

    for code_id in (uuid7(), UUID(world.events("otp.requested")[-1]["code_id"])):
        with world.app.app_context(), pytest.raises(LookupError):
            reset_link(code_id)


def test_what_is_no_token(world: World, ann: Person) -> None:
    world.person(BOB)
    good, other = _token(_forgot(world)), _token(_forgot(world, BOB))
    head, _, secret = good.rpartition("_")
    bad = [
        f"{head}_{'A' * 43}",
        f"{head}_{other.rpartition('_')[2]}",
        f"{other.rpartition('_')[0]}_{secret}",
        good[:-1],
        good.upper(),
        f"{good}=",
        f" {good}",
        "x" * 200,
    ]

    assert [_reset(world, token=token).status_code for token in bad] == [400] * len(bad)
    assert {_reset(world, token=token).json["code"] for token in bad} == {"invalid_code"}
    assert _reset(world, token=good).status_code == 200


def test_an_account_that_moved_is_not_reached_by_an_old_link(world: World, ann: Person) -> None:
    link = _forgot(world)
    world.execute(update(User).where(User.email == ANN).values(email="anna@example.net"))

    assert _reset(world, token=_token(link)).status_code == 400


def test_of_a_crowd_with_code_or_link_one_is_served(world: World, ann: Person) -> None:
    link = _forgot(world)
    proofs = ({"token": _token(link)}, {"email": ANN, "code": world.code(ANN)})

    answers = crowd(lambda n: _reset(world, f"{NEW} {n}", **proofs[n % 2]))

    assert statuses(answers) == {200: 1, 400: CROWD - 1}
    assert len(world.events("password.changed")) == 1


def test_a_poor_password_uses_nothing_up(world: World, ann: Person) -> None:
    link = _forgot(world)
    for poor in ("123456", "short", PASSWORD):
        answer = _reset(world, poor, token=_token(link))
        assert (answer.status_code, set(answer.json["errors"])) == (422, {"newPassword"})
    assert _reset(world, token=_token(link)).status_code == 200


@pytest.mark.parametrize(
    ("proof", "field"),
    [
        ({}, "code"),
        ({"email": ANN}, "code"),
        ({"code": "123456"}, "email"),
        ({"token": "x", "code": "123456"}, "token"),
        ({"token": "x", "email": ANN}, "token"),
        ({"token": 7}, "token"),
        ({"token": "x" * 201}, "token"),
    ],
)
def test_one_proof_is_shown(world: World, proof: dict[str, Any], field: str) -> None:
    answer = _reset(world, **proof)

    assert answer.status_code == 422
    assert field in answer.json["errors"]


def test_the_page_behind_it(world: World, ann: Person) -> None:
    link = _forgot(world)
    client, path = world.app.test_client(), link.partition("5000")[2]
    looked = [client.get(path) for _ in range(3)]
    assert {answer.status_code for answer in looked} == {200}
    assert looked[0].headers["Referrer-Policy"] == "no-referrer"
    assert "'none'" in looked[0].headers["Content-Security-Policy"]
    form = {"token": _token(link), "newPassword": "short"}

    poor = client.post("/reset-password", data=form)
    done = client.post("/reset-password", data={**form, "newPassword": NEW})

    assert poor.status_code == 422
    assert 'aria-invalid="true"' in poor.text
    assert (done.status_code, done.mimetype) == (200, "text/html")
    assert [client.post("/reset-password", data=form).status_code, client.get(path).status_code] == [403, 403]
    assert client.get("/reset-password?token=<script>").status_code == 403
    world.signed_in(ANN, NEW)
