"""Facts about notes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.api import Event


@dataclass(frozen=True)
class NoteWritten(Event, type="sample.note_written", version=1, scope="organisation"):
    note_id: UUID
