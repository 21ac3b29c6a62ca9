"""Asking for a named job: a row that commits with the rest, and a word to RQ afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from core import context
from core.clock import utcnow
from core.db import Unit, db, uuid7

from .models import JobRow
from .registry import Job
from .state import engine
from .ticket import Ticket

_CURRENT: Any = object()


def enqueue(
    name: str,
    args: Mapping[str, Any] | None = None,
    *,
    unique_key: str | None = None,
    delay: timedelta | float | None = None,
    priority: int | None = None,
    organisation: UUID | None = _CURRENT,
) -> UUID:
    """Run job ``plugin.job`` with JSON ``args`` once the open unit of work has committed.

    ``unique_key``: where a queued or running job of this name and organisation has it already,
    nothing is added and that one's id returned. ``delay`` in seconds or as timedelta. A higher
    ``priority`` (0 unless said) overtakes what waits in its queue. ``organisation``: the one in
    scope unless said. Returns the job's id. Raises ``RuntimeError`` outside a unit of work,
    ``LookupError`` for a job nobody declared.
    """
    job = engine().registry.jobs.get(name)
    if job is None:
        raise LookupError(f"nobody declared the job {name}")
    if organisation is _CURRENT:
        organisation = context.organisation_id()
    seconds = delay if isinstance(delay, timedelta) else timedelta(seconds=delay or 0)
    key = f"{name}:{organisation or '-'}:{unique_key}" if unique_key is not None else None
    unit = db.unit
    unit.flush()  # what the job refers to may still be in the session
    return insert_job(
        unit,
        job,
        dict(args or {}),
        organisation,
        due=utcnow() + seconds,
        unique_key=key,
        priority=priority or 0,
    )


def insert_job(
    unit: Unit,
    job: Job,
    args: dict[str, Any],
    organisation: UUID | None,
    *,
    due: datetime,
    unique_key: str | None = None,
    priority: int = 0,
) -> UUID:
    """Write the row in ``unit``; after its commit RQ learns of it, if it is due."""
    identifier = uuid7()
    now = utcnow()
    values = {
        "id": identifier,
        "name": job.name,
        "organisation_id": organisation,
        "args": args,
        "queue": job.queue,
        "priority": priority,
        "unique_key": unique_key,
        "status": "queued",
        "due": due,
        "actor": context.principal().label,
        "request_id": context.request_id(),
    }
    statement = unit.upsert(JobRow)
    if unique_key is None:
        unit.connection.execute(statement, values)
    else:
        other = _insert_or_find(unit, statement.on_conflict_do_nothing(), values)
        if other is not None:
            return other
    if due <= now:
        bell, ticket = engine().bell, Ticket(identifier, job.name, job.queue, job.timeout, priority)
        unit.after_commit.append(lambda: bell.announce(ticket))
    return identifier


def _insert_or_find(unit: Unit, statement: Any, values: dict[str, Any]) -> UUID | None:
    """Insert a job with a unique key; returns the id of the one that has the key already, if any."""
    same = select(JobRow.id).where(
        JobRow.unique_key == values["unique_key"], JobRow.status.in_(("queued", "running"))
    )
    counted = {"preserve_rowcount": True}
    while unit.connection.execute(statement, values, execution_options=counted).rowcount != 1:
        other = unit.connection.scalar(same)
        if other is not None:
            return other
        # it ended between the two statements
    return None
