"""What a transport is, and the two ways in which handing a mail over can fail."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Outgoing:
    """One mail to one recipient, ready for the wire.

    ``key`` stays the same over every attempt: a transport that can, uses it so that a second
    attempt replaces the first. ``sender`` and ``recipient`` are bare addresses (the SMTP envelope).
    """

    key: UUID
    sender: str
    recipient: str
    message: EmailMessage


class Transport(Protocol):
    """Where mails are handed over. Must not log or keep a message's text."""

    name: str

    def deliver(self, mail: Outgoing) -> str:
        """Hand ``mail`` over; answer where it went: a file, a server, or the id a vendor gave it.

        Raises ``Deferred`` where a later attempt may succeed, ``Refused`` where none will. Any
        other exception counts as ``Deferred``.
        """
        ...

    def check(self) -> None:
        """Return where the transport can be used now, raise ``Deferred`` with the reason where not.

        Takes about half a second at most and sends nothing.
        """
        ...


class Deferred(Exception):
    """Not now: the network, a full disk, a log-in that fails, a server that is busy.

    The next transport is tried, and where there is none the mail later; not before ``after``, where
    somebody said so.
    """

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


class Refused(Exception):
    """Never: this mail was looked at and refused, or its address cannot exist. Not tried again, nowhere."""


def quoted(reply: bytes | str) -> str:
    """A server's words for the log: short, and without what could be a code it quotes."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return re.sub(r"\d{6,}", "******", " ".join(text.split()))[:200]
