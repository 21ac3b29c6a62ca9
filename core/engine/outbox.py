"""Emitting: buffered in the unit of work, inserted with its commit, told to the relay after it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import insert

from core import context
from core.clock import utcnow
from core.db import Unit, db, uuid7

from .events import AuditFacts, Event
from .models import EventRow
from .state import engine

_OPENED = "engine.outbox"


def emit(event: Event, *, order_key: str | None = None) -> UUID:
    """Make ``event`` durable with the open unit of work, and let its handlers know afterwards.

    Events of one organisation with the same ``order_key`` (at most 200 characters) reach each
    handler in the order of their commits; without one there is no order. Returns the event's id.
    What a rolled-back savepoint emitted is dropped with it. Raises ``RuntimeError`` outside a
    unit of work or, for an organisation's event, outside an organisation, and ``LookupError``
    for a type nobody declared.
    """
    unit = db.unit
    declared = engine().registry.events.get(event.type)
    if declared is None:
        raise LookupError(f"nobody declared the event {event.type or type(event).__name__}")
    organisation = None
    if event.scope == "organisation":
        organisation = context.organisation_id()
        if organisation is None:
            raise RuntimeError(
                f"{event.type} belongs to an organisation, and none is in scope; use acting_for()"
            )
    if order_key is not None and len(order_key) > 200:
        raise ValueError("an order key has at most 200 characters")
    if _OPENED not in unit.info:
        unit.info[_OPENED] = True
        unit.before_commit.append(_insert)
    identifier = uuid7()
    unit.pending.append(
        {
            "id": identifier,
            "organisation_id": organisation,
            "type": event.type,
            "version": event.version,
            "order_key": order_key,
            "payload": declared.codec.dump(event),
            "actor": context.principal().label,
            "request_id": context.request_id(),
            "ip": context.address(),
            "occurred_at": utcnow(),
            "pending": True,
        }
    )
    return identifier


def audit_facts(event: Event, *, organisation: UUID | None = None) -> AuditFacts:
    """What of ``event`` an audit log keeps; ``organisation`` is the one it was emitted in.

    Raises ``ValueError`` for one that is not declared as audited.
    """
    if event.audited is None or event.target is None:
        raise ValueError(f"{event.type} is not audited")
    payload = engine().registry.events[event.type].codec.dump(event)
    kind, field = event.target
    identifier = organisation if field is None else payload[field]
    return AuditFacts(
        action=event.type,
        target_type=kind,
        target_id=None if identifier is None else str(identifier),
        data={name: payload[name] for name in event.audited},
    )


def _insert(unit: Unit) -> None:
    """Write what was emitted, after the rows of the domain: its numbers are taken under their locks."""
    if unit.pending:
        unit.connection.execute(insert(EventRow), list(unit.pending))
        unit.after_commit.append(engine().bell.wake)
