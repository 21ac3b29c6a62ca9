"""When to try again, and when to give up."""

from __future__ import annotations

import random
import traceback
from datetime import timedelta

ATTEMPTS = 16
"""Attempts before a delivery is dead: about eight hours."""

KILLS = 5
"""How many workers a delivery or job may take with it before it is dead at once."""

_FIRST = 5.0  # seconds
_LONGEST = 3600.0
_JITTER = 0.2
_ERROR_CHARACTERS = 2000


class Retry(Exception):
    """Raise in a handler or job: try again, not before ``after`` (``None``: as after any failure)."""

    def __init__(self, after: timedelta | None = None, reason: str = "") -> None:
        super().__init__(reason or "asked to be tried again")
        self.after = after


class Permanent(Exception):
    """Raise in a handler or job: trying again is of no use; it is dead at once."""


class LeaseLost(Exception):
    """Somebody else holds what we were working on; nothing of ours may be committed."""


def wait(attempts: int, error: BaseException) -> timedelta:
    """How long to wait after failure number ``attempts``: 5 s doubled each time, at most 1 h, ± 20 %."""
    if isinstance(error, Retry) and error.after is not None:
        return error.after
    seconds = min(_LONGEST, _FIRST * 2.0 ** (attempts - 1))
    return timedelta(seconds=seconds * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311  no secret


def hopeless(attempts: int, error: BaseException, most: int = ATTEMPTS) -> bool:
    """Whether failure number ``attempts`` was the last."""
    return attempts >= most or isinstance(error, Permanent)


def describe(error: BaseException) -> str:
    """One line for the row: what was raised and where."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}"[:_ERROR_CHARACTERS] + where
