"""Running one named job: the row is claimed, run, and ended in the transaction of its effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, select, update

from core import context
from core.clock import utcnow
from core.context import SYSTEM
from core.db import begin
from core.log import get_logger
from core.switch import active

from .graves import holder
from .models import JobRow, QueueRow
from .moment import db_now
from .registry import Job
from .retry import LeaseLost, describe, hopeless, wait
from .state import Engine
from .task import Cancelled, Task, current
from .timeouts import HandedBack, limit

log = get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a run ended. ``status`` is the row's afterwards; ``again`` in seconds where it is tried again.

    ``unclaimed``: somebody else has it, or it is not due, or it is over.
    """

    status: str
    again: float | None = None
    error: str | None = None


def perform(engine: Engine, identifier: UUID) -> Outcome:
    """Claim and run the job, here and now. Never raises what the job raises."""
    mine = holder()
    row = _claim(engine, identifier, mine)
    if row is None:
        return Outcome("unclaimed")
    job = engine.registry.jobs[row.name]
    if not active(job.plugin, row.organisation_id):
        return _end(engine, row, mine, "skipped", "the plugin is off for this organisation")
    engine.heartbeat.hold(mine)
    try:
        return _run(engine, job, row, mine)
    except HandedBack:
        _hand_back(engine, row, mine)
        return Outcome("queued")
    except (LeaseLost, Cancelled) as lost:
        log.warning("job is in other hands", job=row.name, id=str(row.id), reason=str(lost))
        return Outcome("unclaimed")
    except (Exception, SystemExit) as error:
        if engine.stopping.is_set() and isinstance(error, SystemExit):
            _hand_back(engine, row, mine)
            raise
        return _failed(engine, job, row, mine, error)
    finally:
        engine.heartbeat.drop(mine)


def _claim(engine: Engine, identifier: UUID, mine: str) -> Row[Any] | None:
    known = [job.name for job in engine.registry.jobs.values() if active(job.plugin)]
    with begin(on=engine.database) as unit:
        claimed = unit.connection.execute(
            update(JobRow)
            .where(
                JobRow.id == identifier,
                JobRow.status == "queued",
                JobRow.due <= utcnow(),
                JobRow.name.in_(known),
                ~exists().where(QueueRow.name == JobRow.queue, QueueRow.paused_at.is_not(None)),
            )
            .values(
                status="running",
                holder=mine,
                until=db_now(engine.timing.lease),
                started_at=utcnow(),
                attempts=JobRow.attempts + 1,
            )
        )
        if claimed.rowcount != 1:
            return None
        return unit.connection.execute(select(JobRow.__table__).where(JobRow.id == identifier)).one()


def _run(engine: Engine, job: Job, row: Row[Any], mine: str) -> Outcome:
    task = Task(row.id, row.name, row.attempts, row.organisation_id, engine, mine)
    token = current.set(task)
    try:
        with (
            context.request(row.request_id or str(row.id)),
            context.acting_as(SYSTEM),
            context.within(row.organisation_id),
            begin(on=engine.database) as unit,
        ):
            with limit(job.timeout):
                result = job.fn(**row.args)
            unit.before_commit.append(lambda unit: _done(unit.connection, row.id, mine, result))
    finally:
        current.reset(token)
    return Outcome("done")


def _ours(identifier: UUID, mine: str) -> ColumnElement[bool]:
    return and_(JobRow.id == identifier, JobRow.status == "running", JobRow.holder == mine)


def _done(connection: Any, identifier: UUID, mine: str, result: object) -> None:
    ended = update(JobRow).where(_ours(identifier, mine))
    values = {"status": "done", "result": result, "error": None, "holder": None, "finished_at": utcnow()}
    if connection.execute(ended.values(**values)).rowcount != 1:
        raise LeaseLost("the job was cancelled, or somebody else runs it")


def _end(engine: Engine, row: Row[Any], mine: str, status: str, error: str) -> Outcome:
    with begin(on=engine.database) as unit:
        values = {"status": status, "error": error, "holder": None, "finished_at": utcnow()}
        unit.connection.execute(update(JobRow).where(_ours(row.id, mine)).values(**values))
    return Outcome(status, error=error)


def _failed(engine: Engine, job: Job, row: Row[Any], mine: str, error: BaseException) -> Outcome:
    said = describe(error)
    about = {"job": row.name, "plugin": job.plugin, "id": str(row.id), "attempt": row.attempts, "error": said}
    if hopeless(row.attempts, error, job.retries):
        log.error("job is dead", **about)
        return _end(engine, row, mine, "dead", said)
    pause = wait(row.attempts, error)
    log.warning("job failed", again_in=round(pause.total_seconds(), 1), **about)
    with begin(on=engine.database) as unit:
        values = {"status": "queued", "error": said, "holder": None, "due": utcnow() + pause}
        unit.connection.execute(update(JobRow).where(_ours(row.id, mine)).values(**values))
    return Outcome("queued", again=pause.total_seconds(), error=said)


def _hand_back(engine: Engine, row: Row[Any], mine: str) -> None:
    """As if it had never been started: the process ends, the job is not to blame."""
    with begin(on=engine.database) as unit:
        values = {"status": "queued", "holder": None, "attempts": row.attempts - 1, "due": utcnow()}
        unit.connection.execute(update(JobRow).where(_ours(row.id, mine)).values(**values))
