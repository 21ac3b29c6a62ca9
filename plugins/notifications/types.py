"""The kinds of notifications that active plugins contribute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from core.api import Event, call_hook


@dataclass(frozen=True)
class Kind:
    """One entry of the ``notification_types`` hook."""

    event: str
    type: str
    summary: str
    render: Callable[[Event], dict[str, Any] | None]


def kinds() -> Iterator[Kind]:
    """What the plugins active for the organisation in scope contribute (all at start)."""
    for _plugin, entries in call_hook("notification_types"):
        for entry in entries:
            yield Kind(**entry)


def event_types() -> tuple[str, ...]:
    """The event types to listen to, each once."""
    return tuple(sorted({kind.event for kind in kinds()}))
