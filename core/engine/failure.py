"""A delivery that failed: put off with everything behind it, or dead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, update

from core.db import Unit
from core.log import get_logger

from .lanes import Lane, finish, own, park
from .models import DeliveryRow
from .retry import describe, hopeless, wait

log = get_logger(__name__)


def fail(unit: Unit, lane: Lane, row: Row[Any], error: BaseException, now: datetime) -> None:
    """Count one failure of ``row``. Raises ``LeaseLost`` when the lane is in other hands.

    Rows with the same organisation and order key wait with it; when it is dead they go on at once.
    """
    own(unit, lane)
    attempts = row.attempts + 1
    said = describe(error)
    about: dict[str, Any] = {
        "handler": lane.handler.name,
        "plugin": lane.handler.plugin,
        "delivery": str(row.id),
        "error": said,
    }
    dead = hopeless(attempts, error)
    if dead:
        log.error("delivery is dead", attempts=attempts, **about)
        finish(unit, lane, [row.id], "dead", said)
        due = now
    else:
        due = now + wait(attempts, error)
        log.warning("handler failed", attempt=attempts, again_at=due.isoformat(), **about)
    unit.connection.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == row.id, DeliveryRow.status == ("dead" if dead else "pending"))
        .values(attempts=attempts, due=due, error=said)
    )
    if row.order_key is not None:
        park(unit, lane, row.organisation_id, row.order_key, due)
