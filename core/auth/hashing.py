"""Two ways to hash a password, argon2id and bcrypt, told apart by how a stored hash begins."""

from __future__ import annotations

import re
from typing import Protocol

import bcrypt
from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

_MODULAR = re.compile(r"\$2[aby]\$(0[4-9]|1\d)\$[./A-Za-z0-9]{53}")
_LONGEST = 72  # bytes that bcrypt looks at


class Hashing(Protocol):
    """One way to hash. ``longest`` is how many bytes of a password it can take, ``None``: any."""

    longest: int | None

    def made(self, stored: str) -> bool:
        """Whether ``stored`` is a hash of this kind."""

    def hash(self, password: str) -> str:
        """A hash to store."""

    def verify(self, stored: str, password: str) -> bool:
        """Whether ``password`` belongs to ``stored``."""

    def outdated(self, stored: str) -> bool:
        """Whether ``stored`` was made otherwise than ``hash`` would now."""


class Argon2id:
    """19 MiB, two passes, one lane: OWASP's minimum; about 20 ms."""

    longest: int | None = None

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)

    def made(self, stored: str) -> bool:
        return stored.startswith("$argon2")

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, stored: str) -> bool:
        return not self.made(stored) or self._hasher.check_needs_rehash(stored)


class Bcrypt:
    """``2 ** rounds`` turns. A password of more than 72 bytes is neither hashed nor right: the rest would
    not count, so that many passwords were one."""

    longest: int | None = _LONGEST

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def made(self, stored: str) -> bool:
        return _MODULAR.fullmatch(stored) is not None

    def hash(self, password: str) -> str:
        return bcrypt.hashpw(password.encode(), bcrypt.gensalt(self._rounds)).decode()

    def verify(self, stored: str, password: str) -> bool:
        given = password.encode()
        # one too long costs the same, for its length must not show what an account has
        try:
            right = bcrypt.checkpw(given[:_LONGEST], stored.encode())
        except ValueError:  # its shape was right, and its salt is none
            return False
        return right and len(given) <= _LONGEST

    def outdated(self, stored: str) -> bool:
        known = _MODULAR.fullmatch(stored)
        return known is None or int(known[1]) != self._rounds
