"""Telling others that there is something to do. Never needed for correctness: a sweep finds it too."""

from __future__ import annotations

import os
import threading
import time
from functools import cached_property
from typing import TYPE_CHECKING
from uuid import UUID

from redis.exceptions import RedisError

from core.log import get_logger

if TYPE_CHECKING:
    from redis import Redis

    from .rqueue import Queues
    from .state import Engine
    from .ticket import Ticket

log = get_logger(__name__)

_WAKE = "jobstead:wake"
_MOST = 10_000  # tickets kept for Redis; what is beyond that the sweep finds
_IDLE = 30.0


class Bell:
    """This process's way to tell relay and workers, and whether Redis is there to carry it.

    ``wake`` and ``announce`` return at once and are carried by a thread, coalesced; the others
    speak to Redis themselves and swallow its absence.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.away = False
        self._changed = threading.Condition()
        self._wake = False
        self._tickets: dict[UUID, Ticket] = {}
        self._thread: threading.Thread | None = None
        self._pid = 0

    @cached_property
    def queues(self) -> Queues | None:
        """RQ's queues; ``None`` where there is no Redis.

        RQ is imported here at first use, which in a web process is this object's thread: it takes a
        good part of what a start would, and a request never waits for it.
        """
        if self._engine.redis is None:
            return None
        from .rqueue import Queues

        return Queues(self._engine.redis)

    def wake(self) -> None:
        """There are events for the relay."""
        if self._engine.redis is not None:
            with self._changed:
                self._wake = True
                self._carry()

    def announce(self, ticket: Ticket) -> None:
        """A named job is due."""
        if self._engine.redis is not None:
            with self._changed:
                if len(self._tickets) < _MOST:
                    self._tickets[ticket.id] = ticket
                self._carry()

    def ring(self, queue: str, *, last: bool = False) -> bool:
        """Let a worker of ``queue`` look for lanes. False when Redis is away."""
        if self.queues is None:
            return False
        try:
            self.queues.ring(queue, last=last)
        except (RedisError, OSError) as error:
            return self._failed(error)
        return self._reached()

    def several_workers(self, queue: str) -> bool:
        """Whether another worker might help with ``queue``; False when Redis is away."""
        try:
            return self.queues is not None and self.queues.several_workers(queue)
        except (RedisError, OSError) as error:
            return self._failed(error)

    def push(self, tickets: list[Ticket], *, only_lost: bool = False) -> bool:
        """Put jobs into RQ's queues, or those of them it has lost. False when Redis is away."""
        if self.queues is None:
            return False
        try:
            if only_lost:
                tickets = self.queues.lost(tickets)
            if tickets:
                self.queues.push(tickets)
        except (RedisError, OSError) as error:
            return self._failed(error)
        return self._reached()

    def listen(self, client: Redis, seconds: float) -> None:
        """For the relay: return when woken, at most after ``seconds``. Raises ``RedisError``."""
        client.blpop([_WAKE], timeout=seconds)

    def _carry(self) -> None:
        if self._thread is None or not self._thread.is_alive() or self._pid != os.getpid():
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name="engine-bell", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._wake and not self._tickets:
                    self._changed.wait(_IDLE)
                if not self._wake and not self._tickets:
                    self._thread = None
                    return
                wake, self._wake = self._wake, False
                tickets, self._tickets = list(self._tickets.values()), {}
            try:
                self._tell(wake, tickets)
            except Exception as error:
                self._failed(error)
                time.sleep(1)  # the sweep finds what was lost here

    def _tell(self, wake: bool, tickets: list[Ticket]) -> None:
        if wake and self._engine.redis is not None:
            with self._engine.redis.pipeline() as pipe:
                pipe.lpush(_WAKE, 1)
                pipe.ltrim(_WAKE, 0, 0)  # at most one waits
                pipe.execute()
        if tickets and self.queues is not None:
            self.queues.push(tickets)
        self._reached()

    def _failed(self, error: Exception) -> bool:
        if not self.away:
            self.away = True
            log.warning("Redis is away: work goes on from the database, more slowly", error=str(error))
        return False

    def _reached(self) -> bool:
        if self.away:
            self.away = False
            log.info("Redis is back")
        return True
