"""Every second: what is due is rung again. This is why a wiped Redis loses nothing."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, select, update

from core.clock import utcnow
from core.db import begin
from core.log import get_logger

from .graves import bury
from .lanes import due_queues
from .models import JobRow
from .moment import db_now
from .registry import QUEUES
from .retry import KILLS
from .state import Engine
from .ticket import Ticket

log = get_logger(__name__)

_AT_ONCE = 500
_FRESH = timedelta(seconds=1)  # a job due for less is on its way to Redis


def sweep(engine: Engine) -> bool:
    """One look at everything; returns whether Redis is there to pass it on."""
    bury(engine)
    reap(engine)
    reached = engine.bell.push(_due(engine), only_lost=True)
    for queue in due_queues(engine, QUEUES):
        reached = engine.bell.ring(queue)
    return reached


def reap(engine: Engine) -> int:
    """Queue jobs again whose worker died, or end those that kill it; returns how many."""
    died = (JobRow.status == "running", JobRow.until < db_now())
    with begin(on=engine.database, write=False) as unit:
        found = unit.connection.execute(select(JobRow.id, JobRow.name, JobRow.kills).where(*died)).all()
    for row in found:
        dead = row.kills + 1 >= KILLS
        with begin(on=engine.database) as unit:
            unit.connection.execute(
                update(JobRow)
                .where(JobRow.id == row.id, *died)
                .values(
                    kills=JobRow.kills + 1,
                    holder=None,
                    due=utcnow() - _FRESH,
                    status="dead" if dead else "queued",
                    finished_at=case((JobRow.kills + 1 >= KILLS, utcnow()), else_=None),
                    error=f"its worker died {row.kills + 1} times",
                )
            )
        log.warning("a worker died with this job in hand", job=row.name, id=str(row.id), dead=dead)
    return len(found)


def _due(engine: Engine) -> list[Ticket]:
    """The oldest jobs that should have been started by now."""
    due = (
        select(JobRow.id, JobRow.name, JobRow.queue, JobRow.priority)
        .where(JobRow.status == "queued", JobRow.due <= utcnow() - _FRESH, JobRow.queue.in_(QUEUES))
        .order_by(JobRow.due)
        .limit(_AT_ONCE)
    )
    jobs = engine.registry.jobs
    with begin(on=engine.database, write=False) as unit:
        rows = unit.connection.execute(due).all()
    return [Ticket(r.id, r.name, r.queue, jobs[r.name].timeout, r.priority) for r in rows if r.name in jobs]
