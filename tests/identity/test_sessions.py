"""Sessions: refreshing once, and an end that is felt everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from core.auth import sessions
from core.auth.models import AuthSession, RefreshToken
from core.clock import utcnow
from core.users import User, UserRole
from core.web import Server
from tests.identity.world import CROWD, PASSWORD, Person, World, crowd, statuses


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


def _refresh(world: World, tokens: dict[str, Any], **headers: str) -> Any:
    return world.post("/auth/refresh", {"refreshToken": tokens["refreshToken"]}, headers=headers)


def _elsewhere(world: World, tokens: dict[str, Any]) -> Any:
    """The same by somebody with another browser."""
    return _refresh(world, tokens, **{"User-Agent": "another"})


def test_refreshing_gives_new_tokens_of_the_same_session(world: World, ann: Person) -> None:
    answer = _refresh(world, ann.tokens)

    assert answer.status_code == 200
    assert answer.json["refreshToken"] != ann.tokens["refreshToken"]
    newer = Person(world, ann.email, answer.json)
    assert newer.me()["email"] == "ann@example.org"
    assert _refresh(world, newer.tokens).status_code == 200
    assert world.execute(select(AuthSession.id)).scalars().all().__len__() == 1


def test_a_refresh_token_used_twice_ends_the_session(world: World, ann: Person) -> None:
    second = _refresh(world, ann.tokens).json

    assert _elsewhere(world, ann.tokens).status_code == 401

    assert _refresh(world, second).status_code == 401
    assert ann.call("GET", "/auth/me").status_code == 401
    assert Person(world, ann.email, second).call("GET", "/auth/me").status_code == 401
    assert [e["kind"] for e in world.events("security.alert")] == ["refresh_reused"]


def test_other_sessions_live_on(world: World, ann: Person) -> None:
    phone = world.signed_in("ann@example.org")
    _refresh(world, ann.tokens)
    _elsewhere(world, ann.tokens)

    assert phone.call("GET", "/auth/me").status_code == 200
    assert _refresh(world, phone.tokens).status_code == 200


def test_of_a_crowd_with_one_refresh_token_one_is_served(world: World, ann: Person) -> None:
    answers = crowd(lambda n: _refresh(world, ann.tokens, **{"User-Agent": str(n)}))

    assert statuses(answers) == {200: 1, 401: CROWD - 1}
    assert len(world.execute(select(RefreshToken.id)).all()) == 2
    winner = next(answer.json for answer in answers if answer.status_code == 200)
    assert _refresh(world, winner).status_code == 401


@pytest.mark.parametrize(
    "token",
    [
        "",
        "rt_",
        "rt_aaaaaaaaaaaaaaaaaaaaaaaaaa_" + "A" * 43,
        "rt_zzzzzzzzzzzzzzzzzzzzzzzzzz_" + "A" * 43,
        "eyJhbGciOiJSUzI1NiJ9.e30.AA",
        "x" * 200,
    ],
)
def test_what_is_no_refresh_token(world: World, token: str) -> None:
    assert world.post("/auth/refresh", {"refreshToken": token}).status_code == 401


def test_a_guessed_secret_neither_works_nor_ends_the_session(world: World, ann: Person) -> None:
    identifier = ann.tokens["refreshToken"].rsplit("_", 1)[0][:29]

    assert world.post("/auth/refresh", {"refreshToken": f"{identifier}_{'A' * 43}"}).status_code == 401
    assert _refresh(world, ann.tokens).status_code == 200


def test_no_stored_value_is_a_credential(world: World, ann: Person) -> None:
    secret = ann.tokens["refreshToken"][30:]
    for model in (AuthSession, RefreshToken):
        for row in world.execute(select(model.__table__)):
            assert secret not in str(row)


def test_refresh_tokens_and_sessions_grow_old(world: World, ann: Person) -> None:
    session, token = world.execute(
        select(AuthSession.expires_at, RefreshToken.expires_at).join_from(
            AuthSession, RefreshToken, RefreshToken.session_id == AuthSession.id
        )
    ).one()
    assert abs(session - utcnow() - timedelta(days=30)) < timedelta(minutes=5)
    assert abs(token - utcnow() - timedelta(days=7)) < timedelta(minutes=5)

    world.execute(update(AuthSession).values(expires_at=utcnow() + timedelta(hours=1)))
    second = _refresh(world, ann.tokens).json
    newest = (
        world.execute(select(RefreshToken.expires_at).order_by(RefreshToken.created_at.desc()))
        .scalars()
        .first()
    )
    assert newest <= utcnow() + timedelta(hours=1)

    world.execute(update(RefreshToken).values(expires_at=utcnow() - timedelta(seconds=1)))
    assert _refresh(world, second).status_code == 401


def test_logging_out_ends_access_and_refresh(world: World, ann: Person) -> None:
    phone = world.signed_in("ann@example.org")

    assert ann.call("POST", "/auth/logout").status_code == 204

    assert ann.call("GET", "/auth/me").status_code == 401
    assert _refresh(world, ann.tokens).status_code == 401
    assert phone.call("GET", "/auth/me").status_code == 200
    assert world.events("security.alert") == []


class Elsewhere:
    """Another process of the instance, and how its clock is put on."""

    def __init__(self, app: Server, ann: Person) -> None:
        self.app = app
        self.ann = Person(World(app), ann.email, ann.tokens)

    def status(self) -> int:
        return self.ann.call("GET", "/auth/me").status_code


@pytest.fixture
def elsewhere(make: Callable[..., Server], ann: Person) -> Elsewhere:
    """Another process that has just looked at Ann's session."""
    other = Elsewhere(make(), ann)
    assert other.status() == 200
    return other


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Let five seconds pass for what processes remember."""

    class Clock:
        offset = 0.0
        monotonic_ = staticmethod(sessions.time.monotonic)

        @classmethod
        def monotonic(cls) -> float:
            return cls.monotonic_() + cls.offset

    monkeypatch.setattr(sessions, "time", Clock)

    def pass_by() -> None:
        Clock.offset += sessions.FRESH_FOR

    return pass_by


def test_an_end_is_felt_in_other_processes_within_five_seconds(
    elsewhere: Elsewhere, ann: Person, later: Callable[[], None]
) -> None:
    assert sessions.FRESH_FOR <= 5
    ann.call("POST", "/auth/logout")
    later()

    assert elsewhere.status() == 401


def test_suspending_is_felt_within_five_seconds(
    world: World, elsewhere: Elsewhere, later: Callable[[], None]
) -> None:
    world.execute(update(User).values(status="suspended"))
    later()

    assert elsewhere.status() == 401


def test_losing_a_role_is_felt_within_five_seconds(
    world: World, elsewhere: Elsewhere, later: Callable[[], None]
) -> None:
    world.execute(UserRole.__table__.insert().values(user_id=world.user_id("ann@example.org"), role="admin"))
    later()
    assert "core.user.read" in elsewhere.ann.me()["permissions"]

    world.execute(delete(UserRole))
    later()

    assert "core.user.read" not in elsewhere.ann.me()["permissions"]


def test_an_account_that_is_gone(world: World, elsewhere: Elsewhere, later: Callable[[], None]) -> None:
    world.execute(delete(User))
    later()

    assert elsewhere.status() == 401


def _change(who: Person, current: str, new: str) -> Any:
    return who.call("PUT", "/auth/change-password", json={"currentPassword": current, "newPassword": new})


def test_changing_the_password_ends_the_other_sessions(world: World, ann: Person) -> None:
    phone = world.signed_in("ann@example.org")

    assert _change(ann, PASSWORD, "another good one").json == {"status": "changed"}

    assert phone.call("GET", "/auth/me").status_code == 401
    assert _refresh(world, phone.tokens).status_code == 401
    assert ann.call("GET", "/auth/me").status_code == 200
    assert world.login("ann@example.org", PASSWORD).status_code == 401
    assert world.login("ann@example.org", "another good one").status_code == 200
    assert [e["email"] for e in world.events("password.changed")] == ["ann@example.org"]


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", "another good one", "currentPassword"),
        (PASSWORD, PASSWORD, "newPassword"),
        (PASSWORD, "123456", "newPassword"),
        (PASSWORD, "short", "newPassword"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(
    world: World, ann: Person, current: str, new: str, field: str
) -> None:
    answer = _change(ann, current, new)

    assert answer.status_code == 422
    assert set(answer.json["errors"]) == {field}
    world.signed_in("ann@example.org")


def test_of_a_crowd_that_changes_a_password_one_succeeds(world: World, ann: Person) -> None:
    answers = crowd(lambda n: _change(ann, PASSWORD, f"another good one {n}"), size=6)

    codes = statuses(answers)
    assert codes.pop(200) == 1
    assert sum(codes.values()) == 5
    assert set(codes) <= {409, 422}
