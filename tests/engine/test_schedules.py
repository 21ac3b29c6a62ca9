"""Schedules: on the clock of their zone, once however many tick, and what was missed as they say."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from core.context import within
from core.db import begin
from core.engine import enqueue
from core.engine.cron import last_before, next_after
from core.engine.models import DeliveryRow, EventRow, JobRow, ScheduleFireRow, ScheduleRow
from core.engine.registry import Collision
from core.engine.retention import retention
from core.engine.schedules import reconcile, tick
from tests.engine.world import World

START = datetime(2030, 1, 1, 0, 0, 30, tzinfo=UTC)


def _declare(world: World, name: str, cron: str = "* * * * *", **how: str) -> None:
    world.engine.registry.add_schedule("toy", name, job="toy.say", cron=cron, args={"what": name}, **how)


def _reconcile(world: World) -> None:
    with world.app.app_context():
        reconcile(world.engine)


def _tick(world: World) -> int:
    with world.app.app_context():
        return tick(world.engine)


def _jobs(world: World) -> int:
    (row,) = world.rows(select(func.count()).select_from(JobRow).where(JobRow.name == "toy.say"))
    return int(row[0])


@pytest.fixture(autouse=True)
def _only_ours(world: World) -> None:
    world.engine.registry.schedules.clear()


def test_a_firing_is_a_job(world: World) -> None:
    _declare(world, "minutely")
    with time_machine.travel(START, tick=False) as clock:
        _reconcile(world)
        assert _tick(world) == 0
        clock.shift(60)
        assert _tick(world) == 1
        assert _tick(world) == 0
        assert world.drain().jobs == 1


def test_two_schedulers_one_fire(world: World) -> None:
    for number in range(4):
        _declare(world, f"s{number}")
    with time_machine.travel(START, tick=False) as clock:
        _reconcile(world)
        for _ in range(5):
            clock.shift(60)
            fired: list[int] = []
            together = threading.Barrier(4)

            def scheduler(together: threading.Barrier = together, fired: list[int] = fired) -> None:
                together.wait()
                fired.append(_tick(world))

            threads = [threading.Thread(target=scheduler) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sum(fired) == 4
    assert _jobs(world) == 20
    assert len(world.rows(select(ScheduleFireRow.fire_at))) == 20


@pytest.mark.parametrize(("policy", "expected"), [("skip", 0), ("once", 1), ("all", 5)])
def test_missed_firings(world: World, policy: str, expected: int) -> None:
    _declare(world, "hourly", "0 * * * *", policy=policy)
    with time_machine.travel(START, tick=False) as clock:
        _reconcile(world)
        clock.shift(timedelta(hours=5, minutes=20))
        assert _tick(world) == expected
        (row,) = world.rows(select(ScheduleRow.next_at))
        assert row.next_at == START.replace(hour=6, second=0)
        clock.move_to(START.replace(hour=6, second=2))
        assert _tick(world) == 1


def test_reconciling_adds_changes_and_takes_away(world: World) -> None:
    _declare(world, "stays")
    _declare(world, "changes", "0 * * * *")
    _declare(world, "goes")
    with time_machine.travel(START, tick=False) as clock:
        _reconcile(world)
        before = {row.name: row for row in world.rows(select(ScheduleRow.__table__))}
        world.engine.registry.schedules.clear()
        _declare(world, "stays")
        _declare(world, "changes", "30 * * * *")
        _declare(world, "comes")
        clock.shift(10)
        _reconcile(world)
        after = {row.name: row for row in world.rows(select(ScheduleRow.__table__))}
    assert set(after) == {"toy.stays", "toy.changes", "toy.comes"}
    assert after["toy.stays"] == before["toy.stays"]
    assert after["toy.changes"].id == before["toy.changes"].id
    assert after["toy.changes"].next_at == START.replace(minute=30, second=0)


def test_a_plugin_that_is_off_fires_nothing(world: World) -> None:
    _declare(world, "minutely")
    with time_machine.travel(START, tick=False) as clock:
        _reconcile(world)
        world.app.extensions["jobstead.switch"].defaults.clear()
        clock.shift(60)
        assert _tick(world) == 0
    assert _jobs(world) == 0


def test_a_time_zone_and_its_summer() -> None:
    winter = datetime(2030, 3, 29, 12, tzinfo=UTC)
    first = next_after("0 9 * * *", "Europe/Berlin", winter)
    second = next_after("0 9 * * *", "Europe/Berlin", first)
    assert (first, second) == (
        datetime(2030, 3, 30, 8, tzinfo=UTC),
        datetime(2030, 3, 31, 7, tzinfo=UTC),
    )
    assert last_before("0 9 * * *", "Europe/Berlin", second) == second
    assert last_before("0 9 * * *", "Europe/Berlin", second - timedelta(seconds=1)) == first


@pytest.mark.parametrize(
    "how", [{"cron": "61 * * * *"}, {"cron": "* * * * * *"}, {"tz": "Nowhere/Land"}, {"policy": "maybe"}]
)
def test_a_schedule_that_cannot_be_is_refused(world: World, how: dict[str, str]) -> None:
    with pytest.raises(Collision):
        _declare(world, "bad", **how)


def test_retention_forgets_what_is_over(world: World) -> None:
    world.ping(1)
    world.ping(2, act="permanent", key="k")
    world.drain()
    with world.app.app_context(), within(None), begin():
        enqueue("toy.say")
    world.drain()

    def counts() -> tuple[int, int, int]:
        tables = (EventRow, DeliveryRow, JobRow)
        return tuple(world.rows(select(func.count()).select_from(table))[0][0] for table in tables)

    now = datetime.now(UTC)
    assert counts() == (2, 6, 1)
    for days, left in ((6, (2, 6, 1)), (8, (2, 1, 0)), (31, (1, 1, 0)), (91, (0, 0, 0))):
        with time_machine.travel(now + timedelta(days=days)), world.app.app_context():
            retention()
        assert counts() == left
