"""What RQ is told of a named job; apart from ``rqueue``, so that asking for a job does not import RQ."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Ticket:
    """A job that is due. ``timeout`` in seconds; a higher ``priority`` overtakes what waits."""

    id: UUID
    name: str
    queue: str
    timeout: float
    priority: int
