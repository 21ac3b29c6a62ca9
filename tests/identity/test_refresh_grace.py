"""A refresh token is good once; but an answer that got lost signs nobody out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, update

from core.auth import cleanup
from core.auth.models import RefreshToken
from core.clock import utcnow
from core.users import User
from core.web import Server
from tests.identity.world import CROWD, Person, World, crowd, statuses


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


def _refresh(world: World, tokens: dict[str, Any]) -> Any:
    return world.post("/auth/refresh", {"refreshToken": tokens["refreshToken"]})


def test_a_client_that_asks_many_times_at_once_gets_one_successor(world: World, ann: Person) -> None:
    answers = crowd(lambda _: _refresh(world, ann.tokens))

    assert statuses(answers) == {200: CROWD}
    assert len(world.execute(select(RefreshToken.id)).all()) == 2
    (successor,) = {answer.json["refreshToken"] for answer in answers}
    assert _refresh(world, {"refreshToken": successor}).status_code == 200
    assert world.events("security.alert") == []


def test_an_answer_that_was_lost_may_be_asked_for_again(world: World, ann: Person) -> None:
    lost = _refresh(world, ann.tokens).json

    with time_machine.travel(utcnow() + timedelta(seconds=9)):
        again = _refresh(world, ann.tokens)

    assert again.status_code == 200
    assert again.json["refreshToken"] == lost["refreshToken"]
    assert again.json["refreshExpiresAt"] == lost["refreshExpiresAt"]
    assert Person(world, ann.email, again.json).call("GET", "/auth/me").status_code == 200
    row = world.execute(select(RefreshToken.successor).where(RefreshToken.used_at.is_not(None))).scalar_one()
    assert lost["refreshToken"] not in row


@pytest.mark.parametrize(
    "who",
    [
        {"headers": {"User-Agent": "another"}},
        {"environ_base": {"REMOTE_ADDR": "203.0.113.1"}},
        {"environ_base": {"REMOTE_ADDR": "2001:db8::1"}},
    ],
)
def test_only_whoever_lost_it_may(world: World, ann: Person, who: dict[str, Any]) -> None:
    second = _refresh(world, ann.tokens).json

    assert world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]}, **who).status_code == 401
    assert _refresh(world, second).status_code == 401
    assert [e["kind"] for e in world.events("security.alert")] == ["refresh_reused"]


def test_not_for_long_and_not_once_the_answer_was_used(world: World, ann: Person) -> None:
    bob = world.person("bob@example.org")
    second = _refresh(world, ann.tokens).json
    with time_machine.travel(utcnow() + timedelta(seconds=11)):
        assert _refresh(world, ann.tokens).status_code == 401
    assert _refresh(world, second).status_code == 401

    second = _refresh(world, bob.tokens).json
    third = _refresh(world, second).json
    assert _refresh(world, bob.tokens).status_code == 401
    assert _refresh(world, third).status_code == 401


def test_nobody_gets_back_a_session_that_ended(world: World, ann: Person) -> None:
    second = _refresh(world, ann.tokens).json
    assert Person(world, ann.email, second).call("POST", "/auth/logout").status_code == 204

    assert _refresh(world, ann.tokens).status_code == 401
    bob = world.person("bob@example.org")
    _refresh(world, bob.tokens)
    world.execute(update(User).where(User.email == bob.email).values(status="suspended"))
    assert _refresh(world, bob.tokens).status_code == 401


def test_the_grace_can_be_switched_off(make: Callable[..., Server]) -> None:
    world = World(make(JOBSTEAD_AUTH__REFRESH_GRACE="0s"))
    ann = world.person("ann@example.org")
    answers = crowd(lambda _: _refresh(world, ann.tokens))

    assert statuses(answers) == {200: 1, 401: CROWD - 1}
    assert world.execute(select(RefreshToken.id).where(RefreshToken.successor.is_not(None))).all() == []


def test_the_successor_is_forgotten(world: World, ann: Person) -> None:
    _refresh(world, ann.tokens)
    with world.app.app_context(), time_machine.travel(utcnow() + timedelta(seconds=11)):
        cleanup.sessions()

    assert world.execute(select(RefreshToken.id).where(RefreshToken.successor.is_not(None))).all() == []
