"""The threads of a worker that lead or stand by: relay in one; sweep and schedules in the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.log import get_logger

from .graves import holder
from .leader import lead, resign
from .registry import QUEUES
from .relay import relay
from .retry import LeaseLost
from .schedules import tick
from .state import Engine
from .sweep import sweep
from .work import drain_once

if TYPE_CHECKING:
    from redis import Redis

log = get_logger(__name__)

_POLL = 0.05  # seconds between looks at the outbox where nothing can wake us


class Leading:
    """Two threads. Whichever process holds the lease works in them; the others look once a second.

    ``client`` waits for wake-ups in Redis and has no time limit of its own; ``None`` without Redis.
    """

    def __init__(self, engine: Engine, client: Redis | None) -> None:
        self._engine = engine
        self._client = client
        self.holder = holder()
        self.leads = threading.Event()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._forever, args=(step,), name=f"engine-{name}", daemon=True)
            for name, step in (("relay", self._relay), ("sweep", self._sweep))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End both threads and let another process lead at once."""
        self._stop.set()
        for thread in self._threads:
            thread.join(5)
        if self.leads.is_set():
            with suppress(SQLAlchemyError):
                resign(self._engine, self.holder)

    def _forever(self, step: Callable[[], None]) -> None:
        with self._engine.app.app_context():
            while not self._stop.is_set():
                try:
                    step()
                except Exception as error:  # the database may be away: a thread that ends would be missed
                    log.error("leader thread failed; it goes on", error=f"{type(error).__name__}: {error}")
                    self._stop.wait(1)

    def _relay(self) -> None:
        if not lead(self._engine, self.holder):
            self.leads.clear()
            self._stop.wait(self._engine.timing.sweep)
            return
        self.leads.set()
        rounds = max(1, round(self._engine.timing.leadership / 3 / self._engine.timing.sweep))
        try:
            for _ in range(rounds):
                while relay(self._engine, self.holder):
                    if self._stop.is_set():
                        return
                self._wait()
        except LeaseLost:
            self.leads.clear()

    def _wait(self) -> None:
        """Until somebody emits, or a second has passed."""
        if self._client is not None and not self._engine.bell.away:
            with suppress(RedisError, OSError):
                self._engine.bell.listen(self._client, self._engine.timing.sweep)
                return
        self._stop.wait(_POLL)

    def _sweep(self) -> None:
        self._stop.wait(self._engine.timing.sweep)
        if self._stop.is_set() or not self.leads.is_set():
            return
        tick(self._engine)
        if not sweep(self._engine) and self._client is not None:
            drain_once(self._engine, QUEUES)  # Redis is away, and the workers may still be waiting for it
