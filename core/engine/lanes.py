"""Lanes: taking one, what lies in it, and giving it back.

A lane is held by a lease, never by a database lock, while handlers run. Whoever finds a lane
that was not given back knows that its worker died, and what it had in hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, case, exists, func, select, update

from core.clock import utcnow
from core.db import Unit, begin
from core.log import get_logger
from core.switch import active

from .graves import holder
from .models import DeliveryRow, EventRow, LaneRow, QueueRow
from .moment import db_now
from .registry import Handler
from .retry import KILLS, LeaseLost
from .state import Engine

log = get_logger(__name__)

Rows = Sequence[Row[Any]]


@dataclass
class Lane:
    """A lane in our hands. ``careful``: its last worker died, so find out over what."""

    handler: Handler
    slot: int
    holder: str
    rung: int
    rows: Rows
    full: bool
    careful: bool

    def where(self) -> ColumnElement[bool]:
        """This lane's deliveries."""
        return and_(DeliveryRow.handler == self.handler.name, DeliveryRow.slot == self.slot)

    def mine(self) -> ColumnElement[bool]:
        """This lane's row, as long as it is in our hands."""
        return and_(
            LaneRow.handler == self.handler.name, LaneRow.slot == self.slot, LaneRow.holder == self.holder
        )


_ROWS = (
    select(
        DeliveryRow.id,
        DeliveryRow.event_seq,
        DeliveryRow.organisation_id,
        DeliveryRow.order_key,
        DeliveryRow.attempts,
        EventRow.id.label("event_id"),
        EventRow.type,
        EventRow.payload,
        EventRow.actor,
        EventRow.request_id,
        EventRow.ip,
        EventRow.occurred_at,
    )
    .join(EventRow, EventRow.seq == DeliveryRow.event_seq)
    .order_by(DeliveryRow.event_seq)
)


def claimable(engine: Engine, queues: Sequence[str]) -> ColumnElement[bool]:
    """Lanes of ``queues`` that are due and free, of handlers that run here, in queues nobody paused."""
    known = [handler.name for handler in engine.registry.handlers.values() if active(handler.plugin)]
    return and_(
        LaneRow.due_at <= utcnow(),
        LaneRow.until <= db_now(),
        LaneRow.queue.in_(list(queues)),
        LaneRow.handler.in_(known),
        ~exists().where(QueueRow.name == LaneRow.queue, QueueRow.paused_at.is_not(None)),
    )


def due_queues(engine: Engine, queues: Sequence[str]) -> list[str]:
    """Those of ``queues`` that have a lane to claim now."""
    with begin(on=engine.database, write=False) as unit:
        found = unit.connection.scalars(select(LaneRow.queue).where(claimable(engine, queues)).distinct())
        return sorted(found, key=list(queues).index)


def claim(engine: Engine, queues: Sequence[str], *, release: Lane | None = None) -> Lane | None:
    """Take the lane that has waited longest, with its due rows; give ``release`` back on the way."""
    with begin(on=engine.database) as unit:
        if release is not None:
            _release(unit, release)
        found = unit.connection.execute(
            select(LaneRow.__table__)
            .where(claimable(engine, queues))
            .order_by(LaneRow.until)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if found is None:
            return None
        lane = _take(engine, unit, found)
    engine.heartbeat.hold(lane.holder)
    return lane


def release(engine: Engine, lane: Lane) -> None:
    """Give a lane back; harmless when it is no longer ours."""
    with begin(on=engine.database) as unit:
        _release(unit, lane)


def _take(engine: Engine, unit: Unit, found: Row[Any]) -> Lane:
    handler = engine.registry.handlers[found.handler]
    died = found.holder is not None
    lane = Lane(handler, found.slot, holder(), found.rung, (), full=False, careful=died)
    unattributed = found.unattributed
    if died:
        log.warning("a worker died with this lane in hand", handler=handler.name, slot=found.slot)
        unattributed = _blame(unit, lane, found.suspect, unattributed)
    unit.connection.execute(
        update(LaneRow)
        .where(LaneRow.handler == found.handler, LaneRow.slot == found.slot)
        .values(
            holder=lane.holder, until=db_now(engine.timing.lease), suspect=None, unattributed=unattributed
        )
    )
    most = engine.timing.fetch_rows
    if died or handler.external:
        most = min(most, engine.timing.batch_rows)
    _park_blocked(unit, lane)
    due = and_(lane.where(), DeliveryRow.status == "pending", DeliveryRow.due <= utcnow())
    lane.rows = unit.connection.execute(_ROWS.where(due).limit(most)).all()
    lane.full = len(lane.rows) == most
    return lane


def _blame(unit: Unit, lane: Lane, suspect: UUID | None, unattributed: int) -> int:
    """Count the death against what was in hand; returns how many deaths nobody is blamed for yet."""
    if suspect is None:
        return 1
    kills = 1 + unattributed  # the death that made us careful was over the same rows
    this = and_(DeliveryRow.id == suspect, DeliveryRow.status == "pending")
    unit.connection.execute(update(DeliveryRow).where(this).values(kills=DeliveryRow.kills + kills))
    dead = unit.connection.execute(
        update(DeliveryRow)
        .where(this, DeliveryRow.kills >= KILLS)
        .values(status="dead", finished_at=utcnow(), error=f"killed its worker {KILLS} times")
    )
    if dead.rowcount:
        log.error("delivery is dead: it kills its worker", delivery=str(suspect), handler=lane.handler.name)
    return 0


def _park_blocked(unit: Unit, lane: Lane) -> None:
    """Put whatever came in behind a failing delivery of the same key off until that one is due."""
    failing = unit.connection.execute(
        select(DeliveryRow.organisation_id, DeliveryRow.order_key, func.max(DeliveryRow.due))
        .where(lane.where(), DeliveryRow.status == "pending", DeliveryRow.attempts > 0)
        .where(DeliveryRow.due > utcnow(), DeliveryRow.order_key.is_not(None))
        .group_by(DeliveryRow.organisation_id, DeliveryRow.order_key)
    ).all()
    for organisation, key, due in failing:
        if key is not None:
            park(unit, lane, organisation, key, due)


def park(unit: Unit, lane: Lane, organisation: UUID | None, key: str, due: datetime) -> None:
    """Make the pending rows of ``key`` due at ``due``.

    A row that must wait is not due: else its lane would be claimed for ever.
    """
    unit.connection.execute(
        update(DeliveryRow)
        .where(lane.where(), DeliveryRow.status == "pending", DeliveryRow.order_key == key)
        .where(DeliveryRow.organisation_id.is_not_distinct_from(organisation), DeliveryRow.due != due)
        .values(due=due)
    )


def _release(unit: Unit, lane: Lane) -> None:
    if lane.full:
        due: Any = LaneRow.due_at
    else:
        pending = and_(lane.where(), DeliveryRow.status == "pending")
        left = unit.connection.scalar(select(func.min(DeliveryRow.due)).where(pending))
        # Unless the relay has added something since we took the lane, what is left says when it is due.
        due = case((LaneRow.rung == lane.rung, left), else_=LaneRow.due_at)
    unit.connection.execute(
        update(LaneRow)
        .where(lane.mine())
        .values(holder=None, until=db_now(), suspect=None, unattributed=0, due_at=due)
    )


def own(unit: Unit, lane: Lane, *, suspect: UUID | None = None) -> None:
    """Make sure the lane is ours, and note what we are about to have in hand. Raises ``LeaseLost``."""
    if unit.connection.execute(update(LaneRow).where(lane.mine()).values(suspect=suspect)).rowcount != 1:
        raise LeaseLost(f"lane {lane.handler.name}/{lane.slot} is in other hands")


def finish(unit: Unit, lane: Lane, ids: Sequence[UUID], status: str, error: str | None = None) -> None:
    """End deliveries inside the transaction of their effects.

    Raises ``LeaseLost`` unless all are still ours to end.
    """
    ended = unit.connection.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id.in_(ids), DeliveryRow.status == "pending", exists().where(lane.mine()))
        .values(status=status, finished_at=utcnow(), error=error)
    )
    if ended.rowcount != len(ids):
        raise LeaseLost(f"lane {lane.handler.name}/{lane.slot} is in other hands")
