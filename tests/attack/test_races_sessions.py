"""Sessions, twenty-four clients at once: one successor, and nothing survives what ends it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.auth import auth
from core.auth.models import AuthSession, RefreshToken
from tests.attack.crowd import crowd, either, statuses, won
from tests.attack.people import superadmin
from tests.identity.world import PASSWORD, Person, World

NEW = "a newly made secret"

ELSEWHERE = {"User-Agent": "a thief's"}


def renew(on: World, token: str, **headers: str) -> TestResponse:
    return on.post("/auth/refresh", {"refreshToken": token}, headers=headers)


def test_a_refresh_token_has_one_successor(world: World, twin: World, email: str) -> None:
    """However often one client asks at once; and a copy that comes from elsewhere ends the family."""
    old = world.person(email).tokens["refreshToken"]
    served = won(either(world, twin, lambda w, _: renew(w, old)))
    successors = {(answer.json or {})["refreshToken"] for answer in served}
    assert len(successors) <= 1
    assert len(living(world, email)) <= 1
    assert renew(twin, old, **ELSEWHERE).status_code == 401
    assert living(world, email) == []
    for token in (old, *successors):
        assert renew(world, token).status_code == 401


def test_two_who_have_one_refresh_token(world: World, twin: World, email: str) -> None:
    """Its owner and a thief at the same moment: whoever comes second shows it, and nobody has anything."""
    old = world.person(email).tokens["refreshToken"]
    answers = crowd(lambda _: renew(world, old), lambda _: renew(twin, old, **ELSEWHERE))
    successors = {(answer.json or {})["refreshToken"] for answer in won(answers)}
    assert len(successors) <= 1
    assert living(world, email) == []
    for token in successors:
        assert renew(world, token).status_code == 401
        assert renew(world, token, **ELSEWHERE).status_code == 401


def living(world: World, email: str) -> list[Any]:
    """Refresh tokens of somebody that hold."""
    unused = (
        select(RefreshToken.id)
        .join(AuthSession, AuthSession.id == RefreshToken.session_id)
        .where(RefreshToken.used_at.is_(None), AuthSession.revoked_at.is_(None))
    )
    return list(world.execute(unused.where(AuthSession.user_id == world.user_id(email))).all())


def test_logging_out_while_refreshing_leaves_nothing(world: World, twin: World, email: str) -> None:
    person = world.person(email)
    body = {"refreshToken": person.tokens["refreshToken"]}
    answers = crowd(
        lambda _: Person(world, email, person.tokens).call("POST", "/auth/logout"),
        lambda _: twin.post("/auth/refresh", body),
    )
    statuses(answers)
    for answer in answers:
        if "refreshToken" in (answer.json or {}):
            assert (
                world.post("/auth/refresh", {"refreshToken": answer.json["refreshToken"]}).status_code == 401
            )  # type: ignore[index]


def test_logging_in_while_the_password_changes(world: World, email: str) -> None:
    """Whoever got in with the old one is out when all is over."""
    person = world.person(email)
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    answers = crowd(
        lambda _: world.login(email),
        lambda _: Person(world, email, person.tokens).call("PUT", "/auth/change-password", json=body),
    )
    statuses(answers)
    changed = [a for a in answers[1::2] if a.status_code == 200]
    assert len(changed) == 1
    for answer in answers[::2]:
        if answer.status_code == 200:
            assert (
                world.post("/auth/refresh", {"refreshToken": answer.json["refreshToken"]}).status_code == 401
            )  # type: ignore[index]


def test_logging_in_while_being_suspended(world: World, twin: World, email: str) -> None:
    """A session that was begun in that moment is none when the person is let in again."""
    world.person(email)
    boss = superadmin(world, f"boss-{email}")
    path = f"/users/{world.user_id(email)}/suspend"
    answers = crowd(
        lambda n: twin.login(email),
        lambda n: boss.call("POST", path, json={}) if n == 1 else twin.login(email),
    )
    statuses(answers)
    assert answers[1].status_code == 200
    assert boss.call("POST", path, json={"suspended": False}).status_code == 200
    for answer in answers:
        _ended(world, answer)


def test_being_suspended_while_the_password_is_looked_at(
    world: World, twin: World, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same with the order decided: the slow part of signing in is when it happens."""
    world.person(email)
    boss = superadmin(world, f"boss-{email}")
    path = f"/users/{world.user_id(email)}/suspend"
    passwords = auth(twin.app).passwords
    verify = passwords.verify

    def slowly(stored: str | None, password: str) -> bool:
        right = verify(stored, password)
        assert boss.call("POST", path, json={}).status_code == 200
        return right

    monkeypatch.setattr(passwords, "verify", slowly)
    answer = twin.login(email)
    assert boss.call("POST", path, json={"suspended": False}).status_code == 200
    _ended(world, answer)
    assert answer.status_code in (401, 403)


def _ended(world: World, answer: TestResponse) -> None:
    token = (answer.json or {}).get("refreshToken")
    if token:
        assert world.post("/auth/refresh", {"refreshToken": token}).status_code == 401
