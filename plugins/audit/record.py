"""From an event to a row at the end of its chain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from core.api import Delivery, Event, acting_for, audit_facts, db, select, update, utcnow, uuid7

from .link import BEGINNING, INSTANCE, hash_of
from .models import TARGET_LENGTH, Chain, Entry, InstanceEntry, OrganisationEntry

_HELD = "audit.ends"


@dataclass
class _End:
    """The last number of a chain and its hash."""

    seq: int
    hash: str


def record(event: Event, delivery: Delivery) -> None:
    """Write down what happened; idempotent by the event's id.

    Whoever adds to a chain locks its end until the transaction is over, so that no number is given
    twice and no hash has two successors, whatever runs at once. One transaction adds many rows and
    moves each end once.
    """
    if delivery.organisation_id is None:
        _append(InstanceEntry, INSTANCE, event, delivery)
    else:
        with acting_for(delivery.organisation_id):
            _append(OrganisationEntry, str(delivery.organisation_id), event, delivery)


def _append(kind: type[Entry], chain: str, event: Event, delivery: Delivery) -> None:
    end = _end_of(chain)
    known = select(kind.id).where(kind.event_id == delivery.event_id)
    if db.session.scalar(known) is not None:
        return
    facts, now = audit_facts(event, organisation=delivery.organisation_id), utcnow()
    entry = kind(
        id=uuid7(),
        created_at=now,
        updated_at=now,
        seq=end.seq + 1,
        event_id=delivery.event_id,
        action=facts.action,
        actor=delivery.actor,
        target_type=facts.target_type,
        target_id=facts.target_id and facts.target_id[:TARGET_LENGTH],
        ip=delivery.ip,
        request_id=delivery.request_id,
        occurred_at=delivery.occurred_at,
        data=json.dumps(facts.data, separators=(",", ":"), sort_keys=True),
        previous=end.hash,
    )
    entry.hash = hash_of(chain, entry)
    db.insert(entry)
    end.seq, end.hash = entry.seq, entry.hash


def _end_of(chain: str) -> _End:
    """The end of ``chain``, in our hands until the open unit of work ends."""
    held: dict[str, _End] = db.unit.info.setdefault(_HELD, {})
    if not held:
        db.unit.before_commit.append(_move)
    if chain not in held:
        held[chain] = _locked(chain)
    return held[chain]


def _locked(chain: str) -> _End:
    """Wait for whoever adds to ``chain``; it begins here where it has not yet."""
    statement = select(Chain.seq, Chain.hash).where(Chain.name == chain).with_for_update()
    found = db.session.execute(statement).one_or_none()
    if found is None:
        fresh = db.unit.upsert(Chain).values(name=chain, seq=0, hash=BEGINNING, exported=0)
        db.session.execute(fresh.on_conflict_do_nothing())
        found = db.session.execute(statement).one()
    return _End(found.seq, found.hash)


def _move(unit: Any) -> None:
    """Write down where the chains in our hands end now."""
    for chain, end in unit.info[_HELD].items():
        moved = update(Chain).where(Chain.name == chain).values(seq=end.seq, hash=end.hash)
        unit.connection.execute(moved)
