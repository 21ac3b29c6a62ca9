"""Schedules: rows that say when they fire next, and one job for each firing, whoever ticks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from core.clock import utcnow
from core.db import Unit, begin, uuid7
from core.log import get_logger
from core.switch import active

from .cron import last_before, next_after
from .enqueue import insert_job
from .models import ScheduleFireRow, ScheduleRow
from .registry import Schedule
from .state import Engine

log = get_logger(__name__)

LATE = timedelta(seconds=60)
"""A firing later than this was missed: nobody was there to take it."""

_AT_ONCE = 100


def reconcile(engine: Engine) -> None:
    """Make the rows what is declared: add, change, and take away. Run once when a worker starts."""
    declared = engine.registry.schedules
    now = utcnow()
    with begin(on=engine.database) as unit:
        rows = {row.name: row for row in unit.connection.execute(select(ScheduleRow.__table__))}
        gone = [row.id for name, row in rows.items() if name not in declared]
        if gone:
            unit.connection.execute(delete(ScheduleRow).where(ScheduleRow.id.in_(gone)))
        for schedule in declared.values():
            _declare(unit, schedule, rows.get(schedule.name), now)


def _declare(unit: Unit, schedule: Schedule, row: Row[Any] | None, now: datetime) -> None:
    values: dict[str, Any] = {
        "job": schedule.job,
        "args": dict(schedule.args),
        "cron": schedule.cron,
        "tz": schedule.tz,
        "policy": schedule.policy,
    }
    first = next_after(schedule.cron, schedule.tz, now)
    if row is None:
        new = unit.upsert(ScheduleRow).on_conflict_do_nothing()  # another worker starts too
        unit.connection.execute(new, {"id": uuid7(), "name": schedule.name, "next_at": first, **values})
        return
    if any(getattr(row, name) != value for name, value in values.items()):
        if (row.cron, row.tz) != (schedule.cron, schedule.tz):
            values["next_at"] = first
        unit.connection.execute(
            update(ScheduleRow).where(ScheduleRow.id == row.id).values(updated_at=now, **values)
        )


def tick(engine: Engine) -> int:
    """Turn every due firing into a job; returns how many. Any number of processes may tick."""
    now = utcnow()
    with begin(on=engine.database, write=False) as unit:
        due = unit.connection.execute(
            select(ScheduleRow.__table__).where(ScheduleRow.next_at <= now).order_by(ScheduleRow.next_at)
        ).all()
    return sum(_fire(engine, row, now) for row in due)


def _fire(engine: Engine, row: Row[Any], now: datetime) -> int:
    """One transaction a schedule: its firings, their jobs, and when it fires next."""
    job = engine.registry.jobs.get(row.job)
    if job is None:
        return 0  # a process without that plugin leaves it to one that has it
    moments, following = _due(row, now)
    fired = 0
    with begin(on=engine.database) as unit:
        moved = update(ScheduleRow).where(ScheduleRow.id == row.id, ScheduleRow.next_at == row.next_at)
        if unit.connection.execute(moved.values(next_at=following)).rowcount != 1:
            return 0  # another scheduler was first
        if not active(job.plugin, row.organisation_id):
            return 0
        for moment in moments:
            identifier = insert_job(unit, job, dict(row.args), row.organisation_id, due=now)
            unit.connection.execute(
                insert(ScheduleFireRow), {"schedule_id": row.id, "fire_at": moment, "job_id": identifier}
            )
            fired += 1
    return fired


def _due(row: Row[Any], now: datetime) -> tuple[list[datetime], datetime]:
    """Which firings are run (all, one for all, or one that was not missed), and when to look again."""
    if row.policy == "all":
        moments: list[datetime] = []
        moment = row.next_at
        while moment <= now and len(moments) < _AT_ONCE:
            moments.append(moment)
            moment = next_after(row.cron, row.tz, moment)
        return moments, moment
    last = max(last_before(row.cron, row.tz, now), row.next_at)
    run = row.policy == "once" or now - last <= LATE
    return ([last] if run else []), next_after(row.cron, row.tz, now)
