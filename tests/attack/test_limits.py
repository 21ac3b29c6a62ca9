"""Guessing and flooding: a limit counts whoever it is meant for, whatever they write into the request."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.auth import auth
from core.testing import Databases, Instance
from tests.attack.crowd import SIZE, crowd, statuses
from tests.attack.scene import instance_of
from tests.identity.world import PASSWORD, Person, World

LOGINS = 5
"""Log-ins of one address in a quarter of an hour, see decisions row 11."""

_hosts = itertools.count(1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Instance]:
    with instance_of(
        tmp_path_factory.mktemp("limits"), databases, "notifications", JOBSTEAD_LIMITS_SCALE="1"
    ) as made:
        yield made


@pytest.fixture
def address() -> str:
    """A caller nobody has heard of."""
    return f"198.51.100.{next(_hosts)}"


def login(house: Instance, address: str, email: str = "x@example.org", **options: Any) -> TestResponse:
    body = {"email": email, "password": "not the password", **options.pop("more", {})}
    environ = {"REMOTE_ADDR": address}
    return house.app.test_client().post("/api/v1/auth/login", json=body, environ_overrides=environ, **options)


def spend(house: Instance, address: str) -> None:
    assert [login(house, address).status_code for _ in range(LOGINS)] == [401] * LOGINS
    assert login(house, address).status_code == 429


def test_many_accounts_are_one_caller(house: Instance, address: str) -> None:
    """Spraying one password over many addresses."""
    answers = [login(house, address, f"sprayed-{n}@example.org") for n in range(LOGINS + 3)]
    assert [answer.status_code for answer in answers] == [401] * LOGINS + [429] * 3
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "header",
    [
        "X-Forwarded-For",
        "X-Real-IP",
        "Forwarded",
        "CF-Connecting-IP",
        "True-Client-IP",
        "X-Client-IP",
        "User-Agent",
        "Accept-Language",
        "X-Request-Id",
        "Origin",
    ],
)
def test_no_header_makes_somebody_another(house: Instance, address: str, header: str) -> None:
    """CVE-2025-64526, and addresses that a caller writes themselves."""
    spend(house, address)
    for n in range(3):
        value = f"for=203.0.113.{n}" if header == "Forwarded" else f"203.0.113.{n}"
        assert login(house, address, headers={header: value}).status_code == 429


@pytest.mark.parametrize(
    "more",
    [
        {"x": 1},
        {"email": "other@example.org"},
        {"password": ""},
        {"cookies": True},
        {"username": "a"},
        {"ip": "1.2.3.4"},
    ],
)
def test_no_field_makes_somebody_another(house: Instance, address: str, more: dict[str, Any]) -> None:
    spend(house, address)
    assert login(house, address, more=more).status_code == 429


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/auth/login?a=1",
        "/api/v1/auth/login?",
        "/api/v1/auth/./login",
        "/api/v1/auth//login",
        "/api/v1/auth/login/",
    ],
)
def test_no_spelling_of_the_path_is_another_door(house: Instance, address: str, path: str) -> None:
    spend(house, address)
    answer = house.app.test_client().post(
        path, json={"email": "x@example.org", "password": "x"}, environ_overrides={"REMOTE_ADDR": address}
    )
    assert answer.status_code in (404, 405, 308, 429)


def test_a_network_of_six_is_one_caller(house: Instance) -> None:
    """Everybody has 2^64 addresses of IPv6."""
    answers = [login(house, f"2001:db8:1:2::{n:x}") for n in range(1, LOGINS + 4)]
    assert [answer.status_code for answer in answers][LOGINS:] == [429] * 3
    assert login(house, "2001:db8:1:3::1").status_code == 401
    mapped = f"198.51.100.{next(_hosts)}"
    spend(house, mapped)
    assert login(house, f"::ffff:{mapped}").status_code == 429


def test_at_once_no_more_than_one_by_one(house: Instance, address: str) -> None:
    counted = statuses(crowd(lambda n: login(house, address, f"at-once-{n}@example.org")))
    assert counted == {401: LOGINS, 429: SIZE - LOGINS}


def test_what_is_refused_costs_nothing(
    house: Instance, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(house, address)
    hashed: list[str] = []
    monkeypatch.setattr(auth(house.app).passwords, "verify", lambda *given: hashed.append("x") or False)
    assert [login(house, address).status_code for _ in range(20)] == [429] * 20
    assert hashed == []


def test_nobody_is_kept_out_by_others(house: Instance, address: str) -> None:
    """Somebody's guesses at an account neither end its sessions nor keep its owner, who is elsewhere, out."""
    person = house.person("kept@example.org")
    for n in range(30):
        login(house, address if n % 2 else f"192.0.2.{n}", person.email)
    assert person.get("/auth/me").status_code == 200
    assert login(house, f"203.0.113.{next(_hosts)}", person.email).status_code == 401


def test_the_password_is_not_guessed_from_within(house: Instance) -> None:
    """A stolen token gives no unlimited tries at the password of its owner."""
    world = World(house.app)
    with_password: Person = _somebody(world)
    seen = []
    for n in range(30):
        body = {"currentPassword": f"guess {n}", "newPassword": "a long new secret"}
        answer = house.app.test_client().put(
            "/api/v1/auth/change-password",
            json=body,
            headers={"Authorization": f"Bearer {with_password.tokens['accessToken']}"},
            environ_overrides={"REMOTE_ADDR": f"192.0.2.{100 + n}"},
        )
        seen.append(answer.status_code)
    assert 429 in seen, seen


def _somebody(world: World) -> Person:
    email = "within@example.org"
    environ = {"REMOTE_ADDR": f"203.0.113.{next(_hosts)}"}
    world.post("/auth/register", {"email": email, "password": PASSWORD}, environ_overrides=environ)
    world.post("/auth/verify-otp", {"email": email, "code": world.code(email)}, environ_overrides=environ)
    answer = world.post("/auth/login", {"email": email, "password": PASSWORD}, environ_overrides=environ)
    assert answer.status_code == 200, answer.text
    return Person(world, email, dict(answer.json or {}))
