"""Two kinds of hashes: either is verified, the one that is configured is what log-in leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from core.auth import hashing
from core.auth.models import Password
from core.config import ConfigError
from core.web import Server
from tests.identity.world import PASSWORD, World

ANN = "ann@example.org"
LONG = "é" * 36  # 72 bytes


@pytest.fixture
def other(make: Callable[..., Server]) -> World:
    """An instance that hashes with bcrypt."""
    return World(make(JOBSTEAD_AUTH__PASSWORD_HASH="bcrypt"))


def _stored(world: World) -> str:
    return str(world.execute(select(Password.hash)).scalar_one())


def _put(world: World, hashed: str) -> None:
    world.execute(update(Password).values(hash=hashed))


def _bcrypt(password: str, rounds: int = 4, prefix: bytes = b"2b") -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds, prefix)).decode()


def test_bcrypt_where_it_is_chosen(other: World) -> None:
    ann = other.person(ANN)

    assert _stored(other).startswith("$2b$10$")
    assert bcrypt.checkpw(PASSWORD.encode(), _stored(other).encode())
    assert other.login(ANN, "wrong").status_code == 401
    change = {"currentPassword": PASSWORD, "newPassword": PASSWORD}
    assert ann.call("PUT", "/auth/change-password", json=change).status_code == 422
    change["newPassword"] = "another good one"
    assert ann.call("PUT", "/auth/change-password", json=change).status_code == 200
    other.signed_in(ANN, "another good one")


@pytest.mark.parametrize("prefix", [b"2a", b"2b"])
def test_a_bcrypt_hash_is_taken_and_becomes_argon2id(world: World, prefix: bytes) -> None:
    world.person(ANN)
    _put(world, _bcrypt(PASSWORD, prefix=prefix))

    assert world.login(ANN, "wrong").status_code == 401
    assert _stored(world).startswith("$2")
    world.signed_in(ANN)
    assert _stored(world).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    world.signed_in(ANN)


def test_an_argon2id_hash_is_taken_and_becomes_bcrypt(other: World) -> None:
    other.person(ANN)
    for old in (PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD), _bcrypt(PASSWORD)):
        _put(other, old)
        assert other.login(ANN, "wrong").status_code == 401
        other.signed_in(ANN)
        assert _stored(other).startswith("$2b$10$")


def test_what_bcrypt_would_not_look_at_is_refused(other: World) -> None:
    answer = other.register(ANN, LONG + "x")

    assert (answer.status_code, list(answer.json["errors"])) == (422, ["password"])
    assert "72 bytes" in answer.json["errors"]["password"][0]
    other.person("bob@example.org", LONG[:-1] + "ab")
    assert other.login("bob@example.org", LONG[:-1] + "abc").status_code == 401


def test_a_long_password_keeps_the_hash_it_has(other: World) -> None:
    other.person(ANN)
    long = "a long one " * 10
    _put(other, PasswordHasher(time_cost=1, memory_cost=8192).hash(long))

    other.signed_in(ANN, long)

    assert _stored(other).startswith("$argon2id$")


@pytest.mark.parametrize(
    "stored", ["", "x", "$2b$10$short", "$argon2id$v=19$broken", "$1$md5$x", "$2b$99$" + "a" * 53]
)
def test_what_is_no_hash_lets_nobody_in(world: World, other: World, stored: str) -> None:
    world.person(ANN)
    _put(world, stored)

    for instance in (world, other):
        assert [instance.login(ANN, tried).status_code for tried in (PASSWORD, stored or "x")] == [401, 401]


def test_an_unknown_address_costs_what_a_known_one_does(
    other: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.person(ANN)
    verified: list[str] = []
    real = hashing.Bcrypt.verify

    def noted(kind: Any, stored: str, password: str) -> bool:
        verified.append(stored[:7])
        return real(kind, stored, password)

    monkeypatch.setattr(hashing.Bcrypt, "verify", noted)
    for email in (ANN, "nobody@example.org"):
        assert other.login(email, "wrong").status_code == 401

    assert verified == ["$2b$10$"] * 2


def test_fewer_than_ten_rounds_are_refused(make: Callable[..., Server]) -> None:
    with pytest.raises(ConfigError, match="PASSWORD_ROUNDS"):
        make(JOBSTEAD_AUTH__PASSWORD_ROUNDS="9")
