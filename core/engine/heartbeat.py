"""Renewing what this process holds, from a thread, so that no handler has to think of it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from sqlalchemy import update

from core.clock import utcnow
from core.db import begin
from core.log import get_logger

from .models import JobRow, LaneRow
from .moment import db_now

if TYPE_CHECKING:
    from .state import Engine

log = get_logger(__name__)

_IDLE = 5.0  # seconds without a lease after which the thread ends


class Heartbeat:
    """The leases of this process on lanes and jobs. A thread runs only while there are any."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: set[str] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._pid = 0

    def hold(self, holder: str) -> None:
        """Keep the lease of ``holder`` alive from now on."""
        with self._changed:
            self._held.add(holder)
            if self._thread is None or not self._thread.is_alive() or self._pid != os.getpid():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._run, name="engine-heartbeat", daemon=True)
                self._thread.start()
            self._changed.notify()

    def drop(self, holder: str) -> None:
        """Renew it no longer."""
        with self._changed:
            self._held.discard(holder)

    def surrender(self) -> None:
        """The process ends: whatever a thread of it still has in hand goes back, untried and unblamed."""
        with self._changed:
            held, self._held = sorted(self._held), set()
        if not held:
            return
        lanes = update(LaneRow).where(LaneRow.holder.in_(held))
        jobs = update(JobRow).where(JobRow.holder.in_(held), JobRow.status == "running")
        with begin(on=self._engine.database) as unit:
            unit.connection.execute(lanes.values(holder=None, until=db_now(), suspect=None, due_at=utcnow()))
            unit.connection.execute(
                jobs.values(status="queued", holder=None, attempts=JobRow.attempts - 1, due=utcnow())
            )

    def _run(self) -> None:
        every = self._engine.timing.lease / 3
        while True:
            with self._changed:
                if not self._held and not self._changed.wait(_IDLE) and not self._held:
                    self._thread = None
                    return
            threading.Event().wait(every)
            with self._changed:
                held = sorted(self._held)
            if held:
                try:
                    self._renew(held)
                except (
                    Exception
                ) as error:  # e.g. the handler holds SQLite's write lock: then nobody can take it either
                    log.debug("leases not renewed", error=str(error))

    def _renew(self, held: list[str]) -> None:
        until = db_now(self._engine.timing.lease)
        with self._engine.app.app_context(), begin(on=self._engine.database) as unit:
            unit.connection.execute(update(LaneRow).where(LaneRow.holder.in_(held)).values(until=until))
            unit.connection.execute(update(JobRow).where(JobRow.holder.in_(held)).values(until=until))
