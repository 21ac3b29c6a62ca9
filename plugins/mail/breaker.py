"""Which transports failed lately, so that mails do not wait for one that is down before the next is tried."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import current_app

FAILURES = 3
"""So many in a row put a transport last."""

PAUSE = 60.0
"""Seconds it stays there."""


@dataclass
class Breaker:
    """What one process saw. Nobody is left out: a transport that failed is tried last, not never."""

    _failures: dict[str, int] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    def order(self, names: Sequence[str]) -> list[str]:
        """``names``, those that failed lately behind the others."""
        now = time.monotonic()
        return sorted(names, key=lambda name: self._until.get(name, 0.0) > now)

    def failed(self, name: str) -> None:
        """``name`` could not be used."""
        self._failures[name] = self._failures.get(name, 0) + 1
        if self._failures[name] >= FAILURES:
            self._until[name] = time.monotonic() + PAUSE

    def worked(self, name: str) -> None:
        """``name`` answered, whatever it said of the mail."""
        self._failures.pop(name, None)
        self._until.pop(name, None)


def breaker() -> Breaker:
    """The one of the running app."""
    found: Breaker = current_app.extensions.setdefault("mail.breaker", Breaker())
    return found
