"""The engine of one app: its registry, its times, its way to Redis, and what this process holds."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from core.db import Database

from .registry import Registry

if TYPE_CHECKING:
    from redis import Redis

    from .bell import Bell
    from .heartbeat import Heartbeat


@dataclass(frozen=True)
class Timing:
    """How long things may take, in seconds, and how much is done at once."""

    lease: float = 10.0  # of a lane or job; renewed at a third of it
    leadership: float = 5.0
    sweep: float = 1.0
    shift: float = 1.0  # how long one bell keeps a worker before named jobs get their turn
    batch: float = 0.05  # of handlers, before their effects are committed
    batch_rows: int = 200
    fetch_rows: int = 1000
    relay_rows: int = 500
    grace: float = 25.0  # from SIGTERM until a job in hand is handed back


@dataclass
class Engine:
    """What ``init_app`` made. ``stopping`` is set once this process shall take on nothing new."""

    app: Flask
    redis: Redis | None
    timing: Timing
    registry: Registry = field(default_factory=Registry)
    stopping: threading.Event = field(default_factory=threading.Event)
    bell: Bell = field(init=False)
    heartbeat: Heartbeat = field(init=False)

    @property
    def database(self) -> Database:
        return cast(Database, self.app.extensions["jobstead.db"])


def engine() -> Engine:
    """The engine of the running app."""
    return cast(Engine, current_app.extensions["jobstead.engine"])


def engine_of(app: Flask) -> Engine:
    """The engine of ``app``."""
    return cast(Engine, app.extensions["jobstead.engine"])
