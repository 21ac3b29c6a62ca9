"""How a row is hashed: the one definition that writing and verifying share."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

from .models import Entry

INSTANCE = "instance"
"""Name of the chain of what happened outside organisations."""

BEGINNING = "0" * 64
"""What stands for the hash before the first row."""


def hash_of(chain: str, entry: Entry) -> str:
    """SHA-256 in hex over the hash before, a line feed, and the row as a JSON list in ASCII.

    ``docs/audit.md`` spells the list out, so that others can do the same sum.
    """
    row = [
        chain,
        entry.seq,
        str(entry.id),
        str(entry.event_id),
        entry.action,
        entry.actor,
        entry.target_type,
        entry.target_id,
        entry.ip,
        entry.request_id,
        stamp(entry.occurred_at),
        stamp(entry.created_at),
        entry.data,
    ]
    text = json.dumps(row, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(f"{entry.previous}\n{text}".encode("ascii")).hexdigest()


def stamp(moment: datetime) -> str:
    """A moment in UTC to the microsecond, always with six digits."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
