"""What plugins declared: types of events, handlers, jobs and schedules. One registry an app."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cron import check_cron
from .events import AUDITED, Event, Scope
from .payload import Codec, codec_of
from .retry import ATTEMPTS

QUEUES = ("email", "notification", "image", "report", "background")
"""The queues, the most urgent first."""

POLICIES = ("skip", "once", "all")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class Collision(ValueError):
    """A name that is taken, or a declaration that cannot be."""


@dataclass(frozen=True)
class EventType:
    """A declared type of event."""

    plugin: str
    cls: type[Event]
    codec: Codec


@dataclass(frozen=True)
class Handler:
    """A subscribed function. ``name`` is ``plugin.name``; ``timeout`` in seconds."""

    name: str
    plugin: str
    types: tuple[str, ...]
    fn: Callable[..., object]
    queue: str
    external: bool
    timeout: float
    scope: Scope
    order: Callable[[Any], str | None] | None


@dataclass(frozen=True)
class Job:
    """A named job. ``name`` is ``plugin.name``; ``timeout`` in seconds, ``retries`` counts attempts."""

    name: str
    plugin: str
    fn: Callable[..., object]
    queue: str
    timeout: float
    retries: int


@dataclass(frozen=True)
class Schedule:
    """A job by the clock."""

    name: str
    plugin: str
    job: str
    cron: str
    tz: str
    policy: str
    args: Mapping[str, Any]


@dataclass
class Registry:
    """Everything declared on this app. The ``add_*`` methods raise ``Collision``."""

    events: dict[str, EventType] = field(default_factory=dict)
    handlers: dict[str, Handler] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    subscribed: dict[str, tuple[Handler, ...]] = field(default_factory=dict)

    def add_event(self, plugin: str, cls: type[Event]) -> None:
        if not cls.type or not hasattr(cls, "__dataclass_fields__"):
            raise Collision(f"{cls.__name__} must be a dataclass with a type")
        other = self.events.get(cls.type)
        if other is not None:
            raise Collision(f"the event {cls.type} is declared by {other.plugin} already")
        self.events[cls.type] = EventType(plugin, cls, codec_of(cls))
        if cls.audited is not None:
            self._subscribe()

    def add_handler(
        self,
        plugin: str,
        types: str | tuple[str, ...],
        fn: Callable[..., object],
        *,
        name: str | None = None,
        queue: str = "background",
        external: bool = False,
        timeout: float = 30,
        scope: Scope = "organisation",
        order: Callable[[Any], str | None] | None = None,
    ) -> None:
        types = (types,) if isinstance(types, str) else tuple(types)
        handler = Handler(
            _named(plugin, name or fn.__name__),
            plugin,
            types,
            fn,
            _queue(queue),
            external,
            timeout,
            scope,
            order,
        )
        if handler.name in self.handlers:
            raise Collision(f"there are two handlers called {handler.name}")
        if scope not in ("organisation", "instance"):
            raise Collision(f"{handler.name}: scope is organisation or instance, not {scope}")
        self.handlers[handler.name] = handler
        self._subscribe()

    def add_job(
        self,
        plugin: str,
        name: str,
        fn: Callable[..., object],
        *,
        queue: str = "background",
        timeout: float = 300,
        retries: int = ATTEMPTS,
    ) -> None:
        job = Job(_named(plugin, name), plugin, fn, _queue(queue), timeout, retries)
        if job.name in self.jobs:
            raise Collision(f"there are two jobs called {job.name}")
        self.jobs[job.name] = job

    def add_schedule(
        self,
        plugin: str,
        name: str,
        *,
        job: str,
        cron: str,
        tz: str = "UTC",
        policy: str = "skip",
        args: Mapping[str, Any] | None = None,
    ) -> None:
        schedule = Schedule(_named(plugin, name), plugin, job, cron, tz, policy, dict(args or {}))
        if schedule.name in self.schedules:
            raise Collision(f"there are two schedules called {schedule.name}")
        if policy not in POLICIES:
            raise Collision(f"{schedule.name}: policy is one of {', '.join(POLICIES)}, not {policy}")
        if job not in self.jobs:
            raise Collision(f"{schedule.name}: there is no job {job}")
        try:
            check_cron(cron, tz)
        except ValueError as error:
            raise Collision(f"{schedule.name}: {error}") from error
        self.schedules[schedule.name] = schedule

    def withdraw(self, plugin: str) -> None:
        """Forget all that ``plugin`` declared."""
        for table in (self.events, self.handlers, self.jobs, self.schedules):
            for name in [name for name, entry in table.items() if entry.plugin == plugin]:
                del table[name]
        self._subscribe()

    def _subscribe(self) -> None:
        """Handlers by type of event, afresh."""
        found: dict[str, tuple[Handler, ...]] = {}
        for handler in self.handlers.values():
            for type_ in dict.fromkeys(self._meant(handler.types)):
                found[type_] = (*found.get(type_, ()), handler)
        self.subscribed = found

    def _meant(self, types: tuple[str, ...]) -> Iterator[str]:
        for type_ in types:
            if type_ == AUDITED:
                yield from (name for name, known in self.events.items() if known.cls.audited is not None)
            else:
                yield type_


def _named(plugin: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise Collision(f"{plugin}: a name is lower case letters, digits and _, not {name!r}")
    return f"{plugin}.{name}"


def _queue(name: str) -> str:
    if name not in QUEUES:
        raise Collision(f"there is no queue {name}; use one of {', '.join(QUEUES)}")
    return name
