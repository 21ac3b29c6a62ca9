"""Wrong passwords are told of afterwards, once for each account and quarter of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, func, select

from core.auth import failures
from core.auth.models import LoginFailure
from core.clock import utcnow
from core.users import User
from tests.identity.world import CROWD, World, crowd, statuses

WRONG = "not the password"


def tell(world: World) -> int:
    with world.app.app_context():
        return failures.tell()["told"]


def over() -> datetime:
    """When the quarter of an hour of now is over."""
    return utcnow() + failures.WINDOW


def test_they_are_told_once_when_the_time_is_over(world: World) -> None:
    ada = world.person("ada@example.com")
    world.person("bob@example.com")
    with time_machine.travel(datetime(2030, 5, 1, 12, 3, tzinfo=UTC), tick=False) as clock:
        for address in ("192.0.2.1", "::ffff:192.0.2.7"):
            answer = world.post(
                "/auth/login",
                {"email": ada.email, "password": WRONG},
                environ_overrides={"REMOTE_ADDR": address},
            )
            assert answer.status_code == 401
        clock.move_to(datetime(2030, 5, 1, 12, 14, 59, tzinfo=UTC))
        world.login(ada.email, WRONG)
        assert tell(world) == 0
        assert world.events("login.failed") == []
        clock.move_to(datetime(2030, 5, 1, 12, 15, tzinfo=UTC))
        world.login(ada.email, WRONG)  # another quarter of an hour
        assert tell(world) == 1
        assert tell(world) == 0
        clock.move_to(datetime(2030, 5, 1, 12, 31, tzinfo=UTC))
        assert tell(world) == 1
    first, second = world.events("login.failed")
    assert first == {
        "user_id": str(world.user_id(ada.email)),
        "count": 3,
        "since": "2030-05-01T12:00:00Z",
        "ip": "127.0.0.1",
    }
    assert (second["count"], second["since"]) == (1, "2030-05-01T12:15:00Z")


def test_the_address_is_that_of_the_last_one(world: World) -> None:
    ada = world.person("ada@example.com")
    world.login(ada.email, WRONG)
    body = {"email": ada.email, "password": WRONG}
    world.post("/auth/login", body, environ_overrides={"REMOTE_ADDR": "::ffff:192.0.2.7"})
    with time_machine.travel(over()):
        tell(world)
    assert [told["ip"] for told in world.events("login.failed")] == ["192.0.2.7"]


def test_a_right_password_an_address_nobody_has_and_somebody_who_is_gone_tell_nothing(world: World) -> None:
    ada = world.person("ada@example.com")
    world.person("gone@example.com")
    world.login("gone@example.com", WRONG)
    world.login("nobody@example.com", WRONG)
    world.signed_in(ada.email)
    world.execute(User.__table__.delete().where(User.email == "gone@example.com"))
    assert world.execute(select(func.count()).select_from(LoginFailure)).scalar_one() == 2
    with time_machine.travel(over()):
        assert tell(world) == 0
    assert world.execute(select(func.count()).select_from(LoginFailure)).scalar_one() == 0


def test_a_crowd_is_counted_whole_and_told_in_one(world: World) -> None:
    ada = world.person("ada@example.com")
    assert statuses(crowd(lambda _number: world.login(ada.email, WRONG))) == {401: CROWD}
    with time_machine.travel(over()):
        tell(world)
    assert [told["count"] for told in world.events("login.failed")] == [CROWD]


def test_the_database_does_the_same_for_addresses_somebody_has_and_others(world: World) -> None:
    ada = world.person("ada@example.com")
    engine = world.app.extensions["jobstead.db"].engine

    def done_for(email: str) -> list[str]:
        said: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            said.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        try:
            assert world.login(email, WRONG).status_code == 401
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return said

    world.login("warm@example.com", WRONG)
    assert done_for(ada.email) == done_for("nobody@example.com") != []


def test_it_runs_by_the_clock(world: World) -> None:
    registry = world.app.extensions["jobstead.engine"].registry
    assert registry.jobs["core.tell_failed_logins"].fn is failures.tell
    assert registry.schedules["core.tell_failed_logins"].policy == "once"


@pytest.mark.parametrize("minutes", [0, 1, 14])
def test_a_quarter_of_an_hour_begins_on_the_quarter(minutes: int) -> None:
    began = datetime(2030, 1, 1, 0, 45, tzinfo=UTC)
    assert failures._began(began + timedelta(minutes=minutes, seconds=59)) == began
