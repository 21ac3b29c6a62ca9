"""What is over in signing in is forgotten, and nothing sooner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from core.auth import cleanup
from core.auth.models import AuthSession, Code, RefreshToken, SigningKey
from core.clock import utcnow
from core.engine import drain, engine
from core.engine.schedules import reconcile, tick
from tests.identity.world import Person, World

ANN = "ann@example.org"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(ANN)


def _count(world: World, model: Any) -> int:
    return len(world.execute(select(model.id)).all())


@pytest.fixture
def now(world: World, ann: Person) -> Iterator[datetime]:
    with world.app.app_context():
        yield utcnow()


def test_codes_are_kept_for_the_hour_that_counts_them(world: World, ann: Person, now: datetime) -> None:
    world.post("/auth/resend-otp", {"email": "nobody@example.org"})
    assert _count(world, Code) == 2

    with time_machine.travel(now + timedelta(minutes=55)):
        assert cleanup.codes() == {"codes": 0}
    with time_machine.travel(now + timedelta(minutes=61)):
        world.post("/auth/forgot-password", {"email": ANN})
        assert cleanup.codes() == {"codes": 2}
    assert _count(world, Code) == 1


def test_a_living_session_stays(world: World, ann: Person, now: datetime) -> None:
    with time_machine.travel(now + timedelta(days=6, hours=23)):
        assert cleanup.sessions() == {"refresh_tokens": 0, "sessions": 0}
        again = world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]})
        assert again.status_code == 200


def test_a_used_token_is_recognised_until_it_would_have_expired(
    world: World, ann: Person, now: datetime
) -> None:
    second = world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]}).json
    with time_machine.travel(now + timedelta(days=6)):
        cleanup.sessions()
        again = world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]})

        assert again.status_code == 401
        assert [e["kind"] for e in world.events("security.alert")] == ["refresh_reused"]
        assert world.post("/auth/refresh", {"refreshToken": second["refreshToken"]}).status_code == 401


def test_a_session_nobody_uses_goes(world: World, ann: Person, now: datetime) -> None:
    with time_machine.travel(now + timedelta(days=7, hours=1)):
        assert cleanup.sessions() == {"refresh_tokens": 1, "sessions": 0}
        world.signed_in(ANN)
    with time_machine.travel(now + timedelta(days=8, hours=1)):
        assert cleanup.sessions() == {"refresh_tokens": 0, "sessions": 1}
        assert ann.call("GET", "/auth/me").status_code == 401
    assert _count(world, AuthSession) == 1


def test_an_ended_session_goes_a_day_later_with_its_tokens(world: World, ann: Person, now: datetime) -> None:
    phone = world.signed_in(ANN)
    phone.call("POST", "/auth/logout")
    with time_machine.travel(now + timedelta(hours=23)):
        assert cleanup.sessions()["sessions"] == 0
    with time_machine.travel(now + timedelta(hours=25)):
        assert cleanup.sessions()["sessions"] == 1
    assert (_count(world, AuthSession), _count(world, RefreshToken)) == (1, 1)


def test_more_than_a_chunk_goes_at_once(
    world: World, ann: Person, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleanup, "_CHUNK", 2)
    for n in range(5):
        world.post("/auth/forgot-password", {"email": f"{n}@example.org"})

    with time_machine.travel(now + timedelta(hours=2)):
        assert cleanup.codes() == {"codes": 6}
        assert cleanup.codes() == {"codes": 0}


def test_it_happens_by_the_clock(world: World, ann: Person, now: datetime) -> None:
    ours = {name: s for name, s in engine().registry.schedules.items() if name.startswith("core.forget_")}
    assert {name: s.cron for name, s in ours.items()} == {
        "core.forget_codes": "0 0 * * *",
        "core.forget_keys": "5 0 * * *",
        "core.forget_sessions": "0 */6 * * *",
        "core.forget_tickets": "10 0 * * *",
    }
    reconcile(engine())
    world.post("/auth/forgot-password", {"email": ANN})

    with time_machine.travel(now + timedelta(days=40)):
        assert tick(engine()) >= 4
        drain()
        assert (_count(world, Code), _count(world, AuthSession), _count(world, RefreshToken)) == (0, 0, 0)
        assert sorted(world.execute(select(SigningKey.state)).scalars()) == ["active", "next"]
