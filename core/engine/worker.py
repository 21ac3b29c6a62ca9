"""The worker process: a stock RQ worker where Redis is, else the same work straight from the database."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

from flask import Flask
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.config import Config
from core.log import get_logger
from core.redis import available, connect

from .graves import bury
from .leading import Leading
from .registry import QUEUES
from .rqueue import JSONSerializer, OurJob, SimpleWorker, register
from .schedules import reconcile
from .state import Engine, engine_of
from .timeouts import hand_back_after
from .work import drain_once

log = get_logger(__name__)

_POLL = 0.1  # seconds between looks for due work without Redis


class _Stoppable(SimpleWorker):
    """RQ's worker, except that it lets the engine know when it shall stop and outlives a wiped Redis."""

    max_connection_wait_time = 2
    on_stop: Any = None

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        """With each job also enter the lists of workers, which a wiped Redis has lost."""
        super().heartbeat(timeout, pipeline)
        if pipeline is not None:
            register(self, pipeline)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.on_stop()
        self._stop_requested = True
        with suppress(RedisError, OSError):
            super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def main(app: Flask, queues: Sequence[str] = QUEUES) -> int:
    """Work on ``queues`` until SIGTERM or SIGINT; returns the exit code.

    What is in hand then is finished, or handed back when the grace is over. While Redis is away
    or where there is none, work goes on from the database and Redis is taken up when it is back.
    """
    return _Process(engine_of(app), queues).run()


class _Process:
    def __init__(self, engine: Engine, queues: Sequence[str]) -> None:
        self._engine = engine
        self._queues = queues
        self._config: Config = engine.app.extensions["jobstead.config"]
        self._round = 0
        self._told = threading.Event()

    def run(self) -> int:
        self._take_signals()
        with self._engine.app.app_context():
            bury(self._engine)
            reconcile(self._engine)
            waiting = connect(self._config, timeout=None) if self._engine.redis is not None else None
            leading = Leading(self._engine, waiting)
            leading.start()
            log.info("worker started", queues=",".join(self._queues), redis=self._engine.redis is not None)
            try:
                while not self._engine.stopping.is_set():
                    if available(self._engine.redis):
                        self._serve()
                    else:
                        self._direct()
            finally:
                self._engine.stopping.set()
                leading.stop()
                with suppress(SQLAlchemyError):  # else the leases run out
                    self._engine.heartbeat.surrender()
        log.info("worker stopped")
        return 0

    def _serve(self) -> None:
        """Be a stock RQ worker until told to stop, or until Redis goes."""
        client = connect(self._config, timeout=None)
        if client is None:
            return
        self._round += 1
        with suppress(RedisError, OSError):
            worker = _Stoppable(
                list(self._queues),
                name=f"{socket.gethostname()}.{os.getpid()}.{self._round}",
                connection=client,
                serializer=JSONSerializer,
                job_class=OurJob,
                log_job_description=False,
            )
            worker.on_stop = self._stop
            worker.work(logging_level="WARNING")
        self._take_signals()
        _close(client)

    def _direct(self) -> None:
        """Work from the database until told to stop, or until Redis can be reached."""
        if self._engine.redis is not None:
            log.warning("Redis cannot be reached: working from the database until it can")
        rounds = 0
        while not self._engine.stopping.is_set():
            counts = drain_once(self._engine, self._queues)
            if not any(vars(counts).values()):
                self._engine.stopping.wait(_POLL)
            rounds += 1
            if self._engine.redis is not None and rounds % 10 == 0 and available(self._engine.redis):
                return

    def _take_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self._stop())

    def _stop(self) -> None:
        self._engine.stopping.set()
        hand_back_after(self._engine.timing.grace)


def _close(client: Redis) -> None:
    with suppress(RedisError, OSError):
        client.close()
        client.connection_pool.disconnect()
