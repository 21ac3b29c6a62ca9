"""Passwords: which are good enough, and a bound on how many are hashed at once."""

from __future__ import annotations

import importlib.util
import os
import secrets
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib.machinery import PathFinder
from typing import TypeVar

from core.errors import Invalid, Unavailable

from .hashing import Argon2id, Bcrypt, Hashing

T = TypeVar("T")

LONGEST = 256  # characters
_COMMONEST = 10_000
_PATIENCE = 2.0  # seconds to wait for one's turn to hash


class Passwords:
    """Hashes and checks passwords. Slow on purpose (20 ms and more): call it outside write transactions.

    ``at_once`` are made at a time, by threads that stand back for all others, so that a flood of
    log-ins takes neither all memory nor all CPUs; who waits too long gets 503. Hashes of both kinds
    are verified; new ones are of the ``hash`` configured, which is also what an unknown address costs.
    """

    def __init__(
        self,
        *,
        shortest: int,
        hash: str = "argon2id",
        rounds: int = 10,
        at_once: int = 1,
    ) -> None:
        self.shortest = shortest
        both: dict[str, Hashing] = {"argon2id": Argon2id(), "bcrypt": Bcrypt(rounds)}
        self._chosen = both[hash]
        self._known = tuple(both.values())
        self._workers = ThreadPoolExecutor(at_once, "hashing", initializer=_stand_back)
        self._dummy = self._chosen.hash(secrets.token_hex(16))

    def hash(self, password: str) -> str:
        """The hash to store. Raises ``Unavailable`` when too many are being made."""
        return self._in_turn(lambda: self._chosen.hash(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` belongs to ``stored``; takes as long where there is none."""
        kind = next((kind for kind in self._known if stored and kind.made(stored)), self._chosen)
        known = stored is not None and kind.made(stored)
        right = self._in_turn(lambda: kind.verify(stored if known and stored else self._dummy, password))
        return known and right

    def renewed(self, stored: str, password: str) -> str | None:
        """Another hash of the same password where ``stored`` was made otherwise than ``hash`` would."""
        if not self._chosen.outdated(stored) or self._too_long(password):
            return None
        return self.hash(password)

    def check(self, password: str, *, email: str, name: str = "", field: str = "password") -> None:
        """Raise ``Invalid`` for a password too short, too common, or made of what everybody knows."""
        fault = self._fault(password, email, name)
        if fault:
            raise Invalid("Choose another password.", errors={field: [fault]})

    def _fault(self, password: str, email: str, name: str) -> str | None:
        if not self.shortest <= len(password) <= LONGEST:
            return f"Must have {self.shortest} to {LONGEST} characters."
        if self._too_long(password):
            return f"Must have at most {self._chosen.longest} bytes."
        folded = password.casefold()
        if folded in commonest():
            return "This is one of the commonest passwords."
        known = {email, email.partition("@")[0], name.casefold(), "jobstead"}
        if folded in known or len(set(password)) == 1:
            return "This is too easy to guess."
        return None

    def _too_long(self, password: str) -> bool:
        return self._chosen.longest is not None and len(password.encode()) > self._chosen.longest

    def _in_turn(self, act: Callable[[], T]) -> T:
        waiting = self._workers.submit(act)
        try:
            return waiting.result(_PATIENCE)
        except TimeoutError:
            waiting.cancel()
            raise Unavailable("Too many people are signing in. Try again shortly.", code="busy") from None


def _stand_back() -> None:
    """Let others go first, though not always: Linux has a priority for each thread."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 5)


@lru_cache(maxsize=1)
def commonest() -> frozenset[str]:
    """The ten thousand commonest passwords, from the ranked list that ``zxcvbn`` maintains.

    Only its data file is read: the package itself would keep some ten megabytes of other lists.
    """
    package = importlib.util.find_spec("zxcvbn")
    if package is None:
        raise RuntimeError("the package zxcvbn is missing; install Jobstead's requirements again")
    spec = PathFinder.find_spec("frequency_lists", package.submodule_search_locations)
    if spec is None or spec.loader is None:
        raise RuntimeError(
            "the package zxcvbn has no list of passwords; install the version that setup.cfg names"
        )
    lists = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lists)
    return frozenset(lists.FREQUENCY_LISTS["passwords"][:_COMMONEST])
