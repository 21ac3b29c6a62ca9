"""What the tests of organisations do over and over: found one, put people in, act there."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update
from werkzeug.test import TestResponse

from core.auth import sessions
from core.auth.admin import roles as made_roles
from core.auth.models import AuthSession
from core.clock import utcnow
from core.config import Config
from core.db import uuid7
from core.orgs import Member, state
from core.users import UserRole
from tests.identity.world import Person, World


def found(who: Person, slug: str, **more: Any) -> dict[str, Any]:
    """An organisation that ``who`` owns."""
    answer = who.call("POST", "/orgs", json={"name": slug.title(), "slug": slug, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def join(world: World, org: dict[str, Any], who: Person, role: str) -> None:
    """Put somebody in, past invitations."""
    world.execute(
        insert(Member.__table__).values(
            id=uuid7(), organisation_id=UUID(org["id"]), user_id=world.user_id(who.email), role=role
        )
    )


def roles(who: Person, slug: str) -> dict[str, str]:
    """Everybody's role, by address, as ``who`` sees it."""
    answer = who.call("GET", f"/orgs/{slug}/members")
    assert answer.status_code == 200, answer.text
    return {item["email"]: item["role"] for item in (answer.json or {})["items"]}


def give(by: Person, slug: str, to: Person, role: str) -> TestResponse:
    """``by`` gives ``to`` a role."""
    return by.call("PUT", f"/orgs/{slug}/members/{to.me()['id']}", json={"role": role})


def put_out(by: Person, slug: str, who: Person) -> TestResponse:
    """``by`` removes ``who``."""
    return by.call("DELETE", f"/orgs/{slug}/members/{who.me()['id']}")


def grow_stale(world: World, who: Person) -> None:
    """Let somebody's sessions be older than what counts as fresh."""
    config: Config = world.app.extensions["jobstead.config"]
    began = utcnow() - config.auth.fresh_ttl * 1.1
    mine = update(AuthSession).where(AuthSession.user_id == world.user_id(who.email))
    world.execute(mine.values(created_at=began))


def code_of(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a problem."""
    return answer.status_code, (answer.json or {}).get("code", "")


def five_seconds(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What, called, lets the time pass for which processes believe in what they know."""
    offset = 0.0
    real = time.monotonic

    def pass_by() -> None:
        nonlocal offset
        offset += 5.0

    clock = SimpleNamespace(monotonic=lambda: real() + offset)
    for room in (sessions, state, made_roles):
        assert room.FRESH_FOR <= 5
        monkeypatch.setattr(room, "time", clock)
    return pass_by


def holder(world: World, email: str, *held: str) -> Person:
    """Somebody who holds roles of the instance."""
    person = world.person(email)
    for role in held:
        world.execute(insert(UserRole.__table__).values(user_id=world.user_id(email), role=role))
    return person


def user(world: World, who: Person) -> str:
    """The path of somebody's row."""
    return f"/users/{world.user_id(who.email)}"
