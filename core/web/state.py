"""What this room keeps for one app."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, cast

from flask import Flask, current_app

from core.access import Access

from .windows import Windows

if TYPE_CHECKING:
    from core.config import Config

    from .limits import Policy


SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing."""

COSTLY = "__jobstead_costly__"
"""The mark of views that take long by design."""


@dataclass(frozen=True)
class ViewInfo:
    """A view as the gates see it: whose it is and what it asks of its caller."""

    endpoint: str
    plugin: str
    access: Access
    body_limit: int | None = None
    limits: tuple[Policy, ...] = ()
    costly: bool = False


@dataclass(frozen=True)
class Credential:
    """A way to say who one is, for the OpenAPI document.

    ``schemes`` describes its parts by name; ``reading`` and ``writing`` name those that a request needs
    which changes nothing, or something.
    """

    schemes: dict[str, dict[str, str]]
    reading: tuple[str, ...]
    writing: tuple[str, ...]


BEARER = Credential(
    {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}, ("bearer",), ("bearer",)
)

Gate = Callable[[ViewInfo], None]
"""Looks at a request before its view runs; raises a ``Problem`` to refuse it."""


@dataclass
class Web:
    """The room's registers. ``checks`` decide readiness, ``probes`` answer how a dependency is."""

    config: Config
    windows: Windows
    room: BoundedSemaphore
    gates: Sequence[Gate] = ()
    views: dict[str, ViewInfo] = field(default_factory=dict)
    checks: dict[str, Callable[[], None]] = field(default_factory=dict)
    probes: dict[str, Callable[[], dict[str, Any]]] = field(default_factory=dict)
    facts: dict[str, Callable[[], Any]] = field(default_factory=lambda: {"plugins": list})
    credentials: list[Credential] = field(default_factory=lambda: [BEARER])
    draining: bool = False
    caches: dict[str, Any] = field(default_factory=dict)


def web(app: Flask | None = None) -> Web:
    """The registers of ``app``, or of the running one."""
    return cast(Web, (app or current_app).extensions["jobstead.web"])
