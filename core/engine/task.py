"""What a running job can say about itself."""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import update

from core.db import begin, current_unit

from .models import JobRow

if TYPE_CHECKING:
    from .state import Engine

_EVERY = 0.5  # seconds between two writes of progress


class Cancelled(Exception):
    """Somebody cancelled the job while it ran; what it wrote is rolled back."""


@dataclass
class Task:
    """The job being run. ``attempt`` begins at 1."""

    id: UUID
    name: str
    attempt: int
    organisation_id: UUID | None
    _engine: Engine = field(repr=False)
    _holder: str = field(repr=False)
    _told: float = field(default=0.0, repr=False)

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """Say how far it is; seen by others at once, and written at most twice a second.

        Only on SQLite, and once this job has begun to write, it is seen with the job's own
        commit: there is one writer. Raises ``Cancelled`` when somebody cancelled the job.
        """
        now = time.monotonic()
        if now - self._told < _EVERY and done != total:
            return
        self._told = now
        said = {"done": done, "total": total, "message": message}
        unit = current_unit()
        if unit is not None and unit.begun and unit.database.dialect == "sqlite":
            self._write(unit.connection, said)
            return
        with begin(on=self._engine.database) as own:
            self._write(own.connection, said)

    def _write(self, connection: Any, said: dict[str, Any]) -> None:
        mine = update(JobRow).where(JobRow.id == self.id, JobRow.holder == self._holder)
        if connection.execute(mine.where(JobRow.status == "running").values(progress=said)).rowcount != 1:
            raise Cancelled(f"job {self.name} was cancelled")


current: ContextVar[Task | None] = ContextVar("task", default=None)


def current_task() -> Task:
    """The job being run. Raises ``RuntimeError`` outside one."""
    task = current.get()
    if task is None:
        raise RuntimeError("no job is running here")
    return task
