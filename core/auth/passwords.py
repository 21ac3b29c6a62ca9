"""Passwords: which are good enough, and argon2id with a bound on how many are hashed at once."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.machinery import PathFinder

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from core.errors import Invalid, Unavailable

LONGEST = 256  # characters
_COMMONEST = 10_000
_PATIENCE = 2.0  # seconds to wait for one's turn to hash


class Passwords:
    """Hashes and checks passwords. Slow on purpose (about 20 ms): call it outside write transactions.

    argon2id with 19 MiB, two passes, one lane: OWASP's minimum. At most two hashes per CPU run at
    once, so that a flood of log-ins cannot take all memory; who waits too long gets 503.
    """

    def __init__(self, *, shortest: int, at_once: int | None = None) -> None:
        self.shortest = shortest
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
        self._turns = threading.BoundedSemaphore(at_once or 2 * (os.cpu_count() or 1))
        self._dummy = self._hasher.hash(os.urandom(16))

    def hash(self, password: str) -> str:
        """The hash to store. Raises ``Unavailable`` when too many are being made."""
        with self._turn():
            return self._hasher.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether ``password`` belongs to ``stored``; takes as long where there is none."""
        with self._turn():
            try:
                self._hasher.verify(stored or self._dummy, password)
                return stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, stored: str) -> bool:
        """Whether ``stored`` was made with other parameters and should be made anew."""
        return self._hasher.check_needs_rehash(stored)

    def check(self, password: str, *, email: str, name: str = "", field: str = "password") -> None:
        """Raise ``Invalid`` for a password too short, too common, or made of what everybody knows."""
        fault = self._fault(password, email, name)
        if fault:
            raise Invalid("Choose another password.", errors={field: [fault]})

    def _fault(self, password: str, email: str, name: str) -> str | None:
        if not self.shortest <= len(password) <= LONGEST:
            return f"Must have {self.shortest} to {LONGEST} characters."
        folded = password.casefold()
        if folded in commonest():
            return "This is one of the commonest passwords."
        known = {email, email.partition("@")[0], name.casefold(), "jobstead"}
        if folded in known or len(set(password)) == 1:
            return "This is too easy to guess."
        return None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=_PATIENCE):
            raise Unavailable("Too many people are signing in. Try again shortly.", code="busy")
        try:
            yield
        finally:
            self._turns.release()


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
