"""Reading the audit log: an organisation's, the instance's, and what concerns oneself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import request

from core.api import Conflict, Forbidden, and_, db, may, or_, organisation_id, principal, select

from .link import INSTANCE
from .models import Chain, Entry, InstanceEntry, OrganisationEntry

INSTANCE_READ = "audit.instance.read"

MOST = 5_000
"""Rows of one export."""

WALKED = 50_000
"""Rows that are verified within a request: some seconds' work."""


def chosen(chain: str | None) -> type[Entry]:
    """The rows of ``organisation`` or ``instance``; without a word the instance's for who may see them
    and named no organisation to act for. Raises ``Forbidden``."""
    if chain is None:
        chain = INSTANCE if may(INSTANCE_READ) and "X-Org" not in request.headers else "organisation"
    if chain != INSTANCE:
        return OrganisationEntry
    if not may(INSTANCE_READ):
        raise Forbidden(f"This needs the permission {INSTANCE_READ}.")
    return InstanceEntry


def name_of(kind: type[Entry]) -> str:
    """The chain that ``kind`` stands for here."""
    return INSTANCE if kind is InstanceEntry else str(organisation_id())


def check_length(chain: str) -> None:
    """Raise ``Conflict`` for a chain that is too long to be walked while somebody waits."""
    length = db.session.scalar(select(Chain.seq).where(Chain.name == chain)) or 0
    if length > WALKED:
        raise Conflict(f"{length} rows are verified by `jobstead audit verify` alone.", code="too_long")


def exported(
    kind: type[Entry], *, after: int, since: datetime | None, until: datetime | None
) -> Sequence[Entry]:
    """At most ``MOST`` rows and one more, the oldest first."""
    statement = select(kind).where(kind.seq > after)
    if since is not None:
        statement = statement.where(kind.occurred_at >= since)
    if until is not None:
        statement = statement.where(kind.occurred_at < until)
    return list(db.session.scalars(statement.order_by(kind.seq).limit(MOST + 1)))


def mine(*, cursor: UUID | None, limit: int) -> dict[str, Any]:
    """A page of what the caller did or what was done to them, the newest first: on the instance and in
    the organisation acted for."""
    kinds: list[type[Entry]] = [InstanceEntry]
    if organisation_id() is not None:
        kinds.append(OrganisationEntry)
    found: list[Entry] = []
    for kind in kinds:
        newest = select(kind).where(_concerns_me(kind)).order_by(kind.id.desc()).limit(limit + 1)
        found += db.session.scalars(newest if cursor is None else newest.where(kind.id < cursor))
    page = sorted(found, key=lambda entry: entry.id, reverse=True)[:limit]
    return {
        "items": [_own(entry) for entry in page],
        "next_cursor": str(page[-1].id) if len(found) > limit else None,
    }


def _concerns_me(kind: type[Entry]) -> Any:
    me = principal().user_id
    return or_(kind.actor == f"user:{me}", and_(kind.target_type == "user", kind.target_id == str(me)))


def _own(entry: Entry) -> dict[str, Any]:
    # where another admin or member acted, address and request are theirs
    open_to_me = entry.actor in (f"user:{principal().user_id}", "anonymous")
    return {
        "id": entry.id,
        "chain": "instance" if isinstance(entry, InstanceEntry) else "organisation",
        "action": entry.action,
        "actor": entry.actor,
        "target_type": entry.target_type,
        "target_id": entry.target_id,
        "ip": entry.ip if open_to_me else None,
        "request_id": entry.request_id if open_to_me else None,
        "data": json.loads(entry.data),
        "occurred_at": entry.occurred_at,
    }
