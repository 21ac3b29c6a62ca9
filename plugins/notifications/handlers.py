"""From an event to a row in somebody's inbox."""

from __future__ import annotations

from core.api import Delivery, Event

from .service import notify
from .types import kinds


def tell(event: Event, delivery: Delivery) -> None:
    """Ask every kind that listens to this event and store what it has to say.

    Idempotent by the kind's key. A plugin the organisation has switched off is not asked.
    """
    for kind in kinds():
        if kind.event == event.type:
            said = kind.render(event)
            if said is not None:
                notify(type=kind.type, **said)
