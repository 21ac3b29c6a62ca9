"""Keys change without anybody being signed out."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner, Result
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from core.auth import auth, cli, keys, rotation
from core.auth.models import SigningKey
from core.clock import utcnow
from core.errors import Conflict
from core.web import Server
from tests.identity.world import Person, World

ANN = "ann@example.org"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(ANN)


@pytest.fixture
def run(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """``jobstead keys ...`` on this instance."""
    monkeypatch.setattr(cli, "_SEEN", timedelta())

    def one(*arguments: str) -> Result:
        done = CliRunner().invoke(cli.keys, arguments, obj=lambda: world.app)
        assert done.exit_code == 0, done.output
        return done

    return one


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if five seconds went by between any two looks."""
    monkeypatch.setattr(keys, "FRESH_FOR", 0.0)


def _states(world: World) -> list[str]:
    """Of all keys, the oldest first."""
    return list(world.execute(select(SigningKey.state).order_by(SigningKey.created_at)).scalars())


def _published(world: World) -> list[str]:
    answer = world.app.test_client().get("/.well-known/jwks.json")
    assert answer.status_code == 200
    return [key["kid"] for key in answer.json["keys"]]


def _kid(who: Person) -> str:
    with who.world.app.app_context():
        return auth().tokens.read(who.tokens["accessToken"]).kid


def test_the_next_key_is_published_a_day_before_it_signs(
    world: World, ann: Person, run: Callable[..., Result]
) -> None:
    said = run("rotate").output

    assert "may sign from" in said
    assert _states(world) == ["active", "next"]
    first, following = _published(world)
    assert _kid(world.signed_in(ANN)) == first
    assert following in said
    assert "may sign from" in run("rotate").output
    assert _states(world) == ["active", "next"]


def test_after_a_day_it_signs_and_the_one_before_still_verifies(
    world: World, ann: Person, run: Callable[..., Result]
) -> None:
    run("rotate")
    first, following = _published(world)
    with time_machine.travel(utcnow() + timedelta(hours=23, minutes=50)):
        assert "may sign from" in run("rotate").output
        before = world.signed_in(ANN)
    with time_machine.travel(utcnow() + timedelta(hours=24, minutes=1)):
        assert f"{following} signs now." in run("rotate").output

        assert _states(world) == ["retiring", "active", "next"]
        assert len(_published(world)) == 3
        after = world.signed_in(ANN)
        assert (_kid(before), _kid(after)) == (first, following)
        assert before.call("GET", "/auth/me").status_code == 200
        assert after.call("GET", "/auth/me").status_code == 200


def test_a_key_goes_when_its_last_token_has_expired(world: World, run: Callable[..., Result]) -> None:
    ann = world.person(ANN)
    run("rotate", "--now")
    first = _kid(ann)
    with world.app.app_context():
        with time_machine.travel(utcnow() + timedelta(hours=24, minutes=50)):
            assert rotation.tidy() == {"gone": 0}
            assert first in _published(world)
        with time_machine.travel(utcnow() + timedelta(hours=25, minutes=1)):
            assert rotation.tidy() == {"gone": 1}
            assert first not in _published(world)
            assert auth().keys.find(first) is None

    assert world.execute(select(SigningKey.private).where(SigningKey.kid == first)).scalar_one() == ""
    assert _states(world)[0] == "gone"


def test_a_leaked_key_is_trusted_no_more(
    world: World, ann: Person, run: Callable[..., Result], no_memory: None
) -> None:
    run("rotate", "--now")
    newer = world.signed_in(ANN)

    assert "signs now" in run("rotate", "--leaked").output

    assert _states(world) == ["gone", "gone", "active", "next"]
    for who in (ann, newer):
        assert who.call("GET", "/auth/me").status_code == 401
        again = world.post("/auth/refresh", {"refreshToken": who.tokens["refreshToken"]})
        assert Person(world, ANN, again.json).call("GET", "/auth/me").status_code == 200


def test_other_processes_follow(
    world: World,
    ann: Person,
    make: Callable[..., Server],
    run: Callable[..., Result],
    no_memory: None,
) -> None:
    other = World(make())
    run("rotate", "--now")

    fresh = world.signed_in(ANN)
    assert Person(other, ANN, fresh.tokens).call("GET", "/auth/me").status_code == 200
    assert Person(other, ANN, ann.tokens).call("GET", "/auth/me").status_code == 200
    assert _kid(other.signed_in(ANN)) == _kid(fresh)
    assert _published(other) == _published(world)


def test_rotations_at_the_same_moment_leave_one_key_that_signs(world: World, ann: Person) -> None:
    def one() -> None:
        with world.app.app_context(), suppress(Conflict):
            rotation.rotate(at_once=True)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    states = _states(world)
    assert (states.count("active"), states.count("next")) == (1, 1)
    assert ann.call("GET", "/auth/me").status_code == 200


def test_the_list(world: World, ann: Person, run: Callable[..., Result]) -> None:
    run("rotate", "--now")

    lines = run("list").output.splitlines()
    items: list[dict[str, Any]] = json.loads(run("list", "--json").output)["items"]

    assert [line.split()[1] for line in lines] == ["next", "active", "retiring"]
    assert [item["state"] for item in items] == ["next", "active", "retiring"]
    assert {item["kid"] for item in items} == set(_published(world))
    assert "private" not in items[0]
    assert items[2]["due"] > items[2]["retiredAt"]


def test_the_key_set_is_told_without_a_database(
    world: World, ann: Person, no_memory: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = _published(world)

    def away() -> None:
        raise OperationalError("select", None, Exception("away"))

    monkeypatch.setattr(keys, "_stored", away)

    assert _published(world) == known
