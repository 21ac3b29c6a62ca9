"""Whether a plugin serves: the one predicate behind routes, hooks, handlers, jobs and OpenAPI.

A plugin serves an organisation when the instance has it running and the organisation has not
switched it off. Nobody else decides this question.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from flask import current_app

_FRESH_FOR = 1.0  # seconds an organisation's choices may be remembered by a process

Overrides = Mapping[str, bool]


def _none(_organisation: UUID) -> Overrides:
    return {}


@dataclass
class Switch:
    """The plugins running on this instance and what organisations chose about them.

    ``defaults`` maps each running plugin to whether organisations have it unless they say
    otherwise; ``load`` reads what one organisation said. ``wanted`` are those that shall run here,
    whether they do or not; ``None`` where that could not be asked at start.
    """

    defaults: dict[str, bool] = field(default_factory=dict)
    load: Callable[[UUID], Overrides] = _none
    wanted: set[str] | None = field(default_factory=set)
    _seen: dict[UUID, tuple[float, Overrides]] = field(default_factory=dict)

    def active(self, plugin: str, organisation: UUID | None = None) -> bool:
        if plugin == "core":
            return True
        default = self.defaults.get(plugin)
        if default is None:
            return False
        if organisation is None:
            return True
        return self._overrides(organisation).get(plugin, default)

    def missing(self, plugin: str) -> bool:
        """Whether ``plugin`` should run here, or might have to, and does not."""
        return plugin not in self.defaults and (self.wanted is None or plugin in self.wanted)

    def forget(self, organisation: UUID) -> None:
        """Read ``organisation``'s choices afresh next time."""
        self._seen.pop(organisation, None)

    def _overrides(self, organisation: UUID) -> Overrides:
        now = time.monotonic()
        seen = self._seen.get(organisation)
        if seen is not None and now - seen[0] < _FRESH_FOR:
            return seen[1]
        chosen = self.load(organisation)
        if len(self._seen) > 10_000:
            self._seen.clear()
        self._seen[organisation] = (now, chosen)
        return chosen


def switch() -> Switch:
    """The switch of the running app."""
    return cast(Switch, current_app.extensions["jobstead.switch"])


def active(plugin: str, organisation: UUID | None = None) -> bool:
    """Whether ``plugin`` serves ``organisation``, or the instance when ``None``."""
    return switch().active(plugin, organisation)
