"""Forgetting what is over: a job of core, once an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import Delete, delete, exists, select

from core.clock import utcnow
from core.db import begin

from .models import DeliveryRow, EventRow, JobRow, ScheduleFireRow
from .state import engine

DONE = timedelta(days=7)
EVENTS = timedelta(days=30)
DEAD = timedelta(days=90)

_CHUNK = 1000


def retention() -> dict[str, int]:
    """Delete done deliveries and jobs after 7 days, events after 30 and what is dead after 90.

    In chunks of a transaction each, so that nobody waits long. An event stays as long as a
    delivery of it does: a dead one can be replayed. Returns how many rows went, by table.
    """
    gone: dict[str, int] = {}
    for table, chunk in _chunks():
        count = _CHUNK
        while count == _CHUNK:
            with begin(on=engine().database) as unit:
                count = unit.connection.execute(chunk).rowcount
            gone[table] = gone.get(table, 0) + count
    return gone


def _chunks() -> Iterator[tuple[str, Delete]]:
    now = utcnow()
    over, dead = ("done", "skipped", "cancelled"), now - DEAD
    for statuses, before in ((over, now - DONE), (("dead",), dead)):
        old = select(DeliveryRow.id).where(DeliveryRow.status.in_(statuses), DeliveryRow.finished_at < before)
        chosen = old.order_by(DeliveryRow.event_seq).limit(_CHUNK)
        yield "deliveries", delete(DeliveryRow).where(DeliveryRow.id.in_(chosen))
        ended = (
            select(JobRow.id).where(JobRow.status.in_(statuses), JobRow.finished_at < before).limit(_CHUNK)
        )
        yield "jobs", delete(JobRow).where(JobRow.id.in_(ended))
    heard = (
        select(EventRow.seq)
        .where(EventRow.pending.is_(False), EventRow.occurred_at < now - EVENTS)
        .where(~exists().where(DeliveryRow.event_seq == EventRow.seq))
        .order_by(EventRow.seq)
        .limit(_CHUNK)
    )
    yield "events", delete(EventRow).where(EventRow.seq.in_(heard))
    yield "firings", delete(ScheduleFireRow).where(ScheduleFireRow.fire_at < now - EVENTS)
