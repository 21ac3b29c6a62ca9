"""Facts travel and work gets done: typed events, outbox, relay, lanes, jobs, schedules, worker.

SQL is the truth about all of it; Redis and RQ carry it quickly where they are there. See
``docs/architecture.md`` for the way of an event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask import Flask

from core.config import Config
from core.redis import KEY as REDIS

from .bell import Bell
from .enqueue import enqueue
from .events import AUDITED, AuditFacts, Delivery, Event
from .farewell import forget_organisation
from .heartbeat import Heartbeat
from .outbox import audit_facts, emit
from .registry import QUEUES, Collision
from .retention import retention
from .retry import Permanent, Retry
from .runner import Counts
from .state import Engine, Timing, engine, engine_of
from .task import Cancelled, Task, current_task
from .work import drain as _drain

__all__ = [
    "AUDITED",
    "QUEUES",
    "AuditFacts",
    "Cancelled",
    "Collision",
    "Counts",
    "Delivery",
    "Engine",
    "Event",
    "Permanent",
    "Retry",
    "Task",
    "Timing",
    "audit_facts",
    "current_task",
    "drain",
    "emit",
    "engine",
    "enqueue",
    "forget_organisation",
    "init_app",
    "register_event",
    "register_events",
    "register_handler",
    "register_job",
    "register_schedule",
    "withdraw",
]


def init_app(app: Flask, config: Config, *, timing: Timing | None = None) -> Engine:
    """Give ``app`` its engine. ``timing`` is for tests; operators set ``server.shutdown_grace``."""
    if timing is None:
        grace = config.server.shutdown_grace.total_seconds()
        timing = replace(Timing(), grace=max(1.0, grace - 5))
    made = Engine(app, app.extensions[REDIS], timing)
    made.bell = Bell(made)
    made.heartbeat = Heartbeat(made)
    app.extensions["jobstead.engine"] = made
    made.registry.add_job("core", "retention", retention, timeout=600)
    made.registry.add_schedule("core", "retention", job="core.retention", cron="17 * * * *", policy="once")
    return made


def register_event(app: Flask, plugin: str, event: type[Event]) -> None:
    """Declare a type of event.

    Raises ``Collision`` for one that is declared already, ``TypeError`` for one JSON cannot carry.
    """
    engine_of(app).registry.add_event(plugin, event)


def register_events(app: Flask, plugin: str, events: Iterable[type[Event]]) -> None:
    """Declare several."""
    for event in events:
        register_event(app, plugin, event)


def register_handler(
    app: Flask, plugin: str, types: str | tuple[str, ...], fn: Callable[..., object], **how: Any
) -> None:
    """Subscribe ``fn(event, delivery)``; ``how`` is as in that hook. Raises ``Collision``."""
    engine_of(app).registry.add_handler(plugin, types, fn, **how)


def register_job(app: Flask, plugin: str, name: str, fn: Callable[..., object], **how: Any) -> None:
    """Declare job ``plugin.name``; ``how`` as in that hook. Raises ``Collision``."""
    engine_of(app).registry.add_job(plugin, name, fn, **how)


def register_schedule(
    app: Flask,
    plugin: str,
    name: str,
    *,
    job: str,
    cron: str,
    args: Mapping[str, Any] | None = None,
    **how: Any,
) -> None:
    """Declare a schedule of a declared job; ``how`` as in that hook. Raises ``Collision``."""
    engine_of(app).registry.add_schedule(plugin, name, job=job, cron=cron, args=args, **how)


def withdraw(app: Flask, plugin: str) -> None:
    """Forget all that ``plugin`` registered."""
    engine_of(app).registry.withdraw(plugin)


def drain(limit: int = 1_000_000) -> Counts:
    """Do everything that is due, here and now, until nothing is or ``limit`` things were done."""
    return _drain(engine(), limit)
