"""From events to deliveries: one row for each subscribed, active handler, in the order of the events."""

from __future__ import annotations

import zlib
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, exists, insert, or_, select, text, update

from core.clock import utcnow
from core.db import Unit, begin, uuid7
from core.log import get_logger
from core.switch import active

from .leader import renew
from .models import DeliveryRow, EventRow, LaneRow
from .moment import db_now
from .registry import Handler
from .retry import LeaseLost
from .state import Engine

log = get_logger(__name__)

SLOTS = 16

_PENDING = (
    select(
        EventRow.seq,
        EventRow.id,
        EventRow.organisation_id,
        EventRow.type,
        EventRow.order_key,
        EventRow.payload,
        EventRow.occurred_at,
    )
    .where(EventRow.pending.is_(True))
    .order_by(EventRow.seq)
)

# what all new deliveries have in common is no parameter
_NEW = insert(DeliveryRow).values(status=text("'pending'"), attempts=text("0"), kills=text("0"))


def relay(engine: Engine, leader: str) -> int:
    """Pass on one batch; returns how many events it took.

    Raises ``LeaseLost`` when ``leader`` leads no longer: the lease is renewed inside the batch's
    own transaction, so that two leaders can never both commit one.
    """
    with begin(on=engine.database, write=False) as unit:
        if not unit.connection.scalar(select(exists().where(EventRow.pending.is_(True)))):
            return 0
    with begin(on=engine.database) as unit:
        if not renew(unit, leader, engine.timing.leadership):
            raise LeaseLost("another process leads")
        events = unit.connection.execute(_PENDING.limit(engine.timing.relay_rows)).all()
        lanes = _deliver(engine, unit, events)
        # never by "up to the last number": numbers of PostgreSQL commit out of order
        taken = [event.seq for event in events]
        unit.connection.execute(update(EventRow).where(EventRow.seq.in_(taken)).values(pending=False))
    for queue in sorted({queue for _, _, queue in lanes}):
        engine.bell.ring(queue)
    return len(events)


def _deliver(engine: Engine, unit: Unit, events: Any) -> set[tuple[str, int, str]]:
    now = utcnow()
    rows: list[dict[str, Any]] = []
    lanes: set[tuple[str, int, str]] = set()
    hears = cache(_hears)  # asked anew for each batch
    for event in events:
        for handler in engine.registry.subscribed.get(event.type, ()):
            if not hears(handler, event.organisation_id):
                continue
            key = _order_key(engine, handler, event)
            slot = slot_of(event.organisation_id, key) if key is not None else event.id.int % SLOTS
            lanes.add((handler.name, slot, handler.queue))
            rows.append(
                {
                    "id": uuid7(),
                    "event_seq": event.seq,
                    "organisation_id": event.organisation_id,
                    "handler": handler.name,
                    "slot": slot,
                    "order_key": key,
                    "due": now,
                }
            )
    if rows:
        unit.connection.execute(_NEW, rows)
        touch(unit, lanes)
    return lanes


def _hears(handler: Handler, organisation: UUID | None) -> bool:
    if handler.scope == "organisation" and organisation is None:
        log.error("handler needs scope='instance': there are events of no organisation", handler=handler.name)
        return False
    return active(handler.plugin, organisation)


def _order_key(engine: Engine, handler: Handler, event: Row[Any]) -> str | None:
    if handler.order is None:
        return event.order_key  # type: ignore[no-any-return]
    try:
        return handler.order(engine.registry.events[event.type].codec.load(event.payload))
    except Exception as error:  # a plugin's mistake must not stop everybody's events
        log.error("handler's order failed", handler=handler.name, plugin=handler.plugin, error=str(error))
        return event.order_key  # type: ignore[no-any-return]


def slot_of(organisation: UUID | None, key: str) -> int:
    """Which of a handler's lanes ``key`` of ``organisation`` lies in."""
    return zlib.crc32(f"{organisation}:{key}".encode()) % SLOTS


def touch(unit: Unit, lanes: set[tuple[str, int, str]]) -> None:
    """Say that lanes ``(handler, slot, queue)`` have something due now."""
    now = utcnow()
    new = unit.upsert(LaneRow)
    sooner = or_(LaneRow.due_at.is_(None), LaneRow.due_at > new.excluded.due_at)
    unit.connection.execute(
        new.on_conflict_do_update(
            index_elements=["handler", "slot"],
            set_={
                "queue": new.excluded.queue,
                "rung": LaneRow.rung + 1,
                "due_at": case((sooner, new.excluded.due_at), else_=LaneRow.due_at),
            },
        ).values(until=db_now()),
        [
            {"handler": handler, "slot": slot, "queue": queue, "due_at": now, "rung": 1, "unattributed": 0}
            for handler, slot, queue in sorted(lanes)
        ],
    )
