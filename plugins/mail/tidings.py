"""What a vendor tells of a mail after it took it, and what whoever reads that offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Tiding:
    """One thing told. ``id`` is the vendor's of this telling: told twice it counts once.

    ``status`` is one of ``sent``, ``delivered``, ``bounced``, ``complained``, ``suppressed``, ``failed``.
    The mail is found by its ``key``, else by ``reference``, what the transport answered. ``permanent``: no
    mail will arrive at ``recipient``. ``reason`` is for an admin to read.
    """

    id: str
    status: str
    key: UUID | None = None
    reference: str | None = None
    recipient: str | None = None
    reason: str | None = None
    permanent: bool = False


class Reporter(Protocol):
    """Reads what one vendor tells at ``/hooks/inbound/mail/<name>``."""

    name: str

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[Tiding]:
        """What ``body`` tells; what is of no interest is left out. ``headers`` ignore case.

        Raises ``Forged`` where the signature does not fit these very bytes, or is too old, and
        ``ValueError`` for a body that is signed and still makes no sense.
        """
        ...


class Forged(Exception):
    """Not shown to be the vendor's."""


def words_of(value: object, most: int = 200) -> str | None:
    """``value`` where it is a text that can be kept: without NUL and half letters, at most so long."""
    if not isinstance(value, str):
        return None
    whole = value.encode("utf-8", "replace").decode().replace("\0", "")
    return whole[:most] or None


def key_of(value: object) -> UUID | None:
    """A mail's key as it came back, or ``None`` for anything else."""
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def moment_of(told: str | None, now: datetime, *, oldest: float, newest: float = 300) -> None:
    """Raise ``Forged`` unless ``told``, seconds since 1970, lies between ``oldest`` s ago and ``newest`` s
    ahead."""
    if not told or not told.isascii() or not told.isdigit() or len(told) > 12:
        raise Forged("the timestamp is missing")
    age = now.timestamp() - int(told)
    if age > oldest or age < -newest:
        raise Forged("the timestamp is too far from now")
