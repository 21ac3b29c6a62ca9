"""Addresses, and the codes sent to them: nobody gets in by somebody else's."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from core.testing import Databases
from core.users import User
from tests.attack.asking import ASKED, asked, somebody
from tests.attack.scene import BUNDLED, instance_of
from tests.identity.world import Person, World

_numbers = itertools.count()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    with instance_of(tmp_path_factory.mktemp("people"), databases, *BUNDLED) as house:
        yield World(house.app)


def test_an_address_is_one_however_it_is_spelled(world: World) -> None:
    """Neither another account nor another count for another spelling."""
    world.person("spelled@example.org")
    for spelling in ("SPELLED@example.org", " spelled@example.org ", "Spelled@EXAMPLE.ORG"):
        assert world.login(spelling).status_code == 200
        assert world.register(spelling, "another long secret").status_code == 202
        assert world.login(spelling, "another long secret").status_code == 401
    people = world.execute(select(User.id).where(User.email.ilike("spelled@%"))).all()
    assert len(people) == 1


@pytest.mark.parametrize(
    "email",
    [
        "victim@example.org,attacker@example.org",
        "victim@example.org attacker@example.org",
        "victim@example.org\r\nBcc: attacker@example.org",
        "victim@example.org\nattacker@example.org",
        "victim@example.org%0aattacker@example.org",
        "victim@example.org;attacker@example.org",
        "<attacker@example.org>victim@example.org",
        '"victim@example.org, attacker"@example.org',
        "victim@example.org\0@attacker.example",
        "attacker@example.org (victim@example.org)",
        ["victim@example.org", "attacker@example.org"],
        {"$gt": ""},
    ],
)
def test_an_address_is_one(world: World, email: Any) -> None:
    for what in ("forgot", "resend", "register"):
        method, path, body = ASKED[what]
        answer = world.app.test_client().open(f"/api/v1{path}", method=method, json={"email": email, **body})
        assert answer.status_code == 422, answer.text


def test_a_stranger_who_registers_in_between_gets_no_way_in(world: World) -> None:
    """The victim registers; before they type the code in, a stranger registers the same address.

    Whichever code the victim takes from their mail, the stranger's password must not open the account.
    """
    email, theirs = f"victim-{next(_numbers)}@example.org", "the stranger's secret"
    assert world.register(email).status_code == 202
    assert world.register(email, theirs).status_code == 202
    assert world.verify(email, world.code(email)).status_code == 200
    assert world.login(email, theirs).status_code != 200


def test_a_stranger_who_registers_first_gets_no_way_in(world: World) -> None:
    email, theirs = f"victim-{next(_numbers)}@example.org", "the stranger's secret"
    assert world.register(email, theirs).status_code == 202
    assert world.register(email).status_code == 202
    assert world.verify(email, world.code(email)).status_code == 200
    assert world.login(email, theirs).status_code == 401


def test_a_code_asked_for_by_a_stranger_lets_only_the_address_in(world: World) -> None:
    """Forgotten by a stranger: the code is in the victim's mail, and the stranger's tries count."""
    email = somebody(world, "verified")
    asked(world, "forgot", email)
    right = world.code(email)
    for guess in range(5):
        asked_code = f"{(int(right) + guess + 1) % 1_000_000:06d}"
        body = {"email": email, "code": asked_code, "newPassword": "a new long secret"}
        assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 400
    body = {"email": email, "code": right, "newPassword": "a new long secret"}
    assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 400
    assert world.login(email).status_code == 200


@pytest.mark.parametrize(
    "code",
    ["٣٣٣٣٣٣", "１２３４５６", "123456\n", " 123456", "12345", "0x1234", "+12345", "1e5000", 123456, None],
)
def test_a_code_is_six_ascii_digits(world: World, code: Any) -> None:
    email = somebody(world, "unverified")
    assert world.post("/auth/verify-otp", {"email": email, "code": code}).status_code == 422


def test_resetting_signs_nobody_in(world: World) -> None:
    email = somebody(world, "verified")
    asked(world, "forgot", email)
    body = {"email": email, "code": world.code(email), "newPassword": "a new long secret"}
    answer = world.app.test_client().put("/api/v1/auth/reset-password", json=body)
    assert answer.json == {"status": "changed"}
    assert "Set-Cookie" not in answer.headers


def test_a_stranger_cannot_keep_somebody_out(world: World) -> None:
    """Wrong passwords end no session, and the right one still lets in."""
    email = somebody(world, "verified")
    mine: Person = world.signed_in(email)
    for _ in range(20):
        world.login(email, "wrong")
    assert mine.call("GET", "/auth/me").status_code == 200
    assert world.login(email).status_code == 200
