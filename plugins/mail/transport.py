"""What a transport is, and the two ways in which handing a mail over can fail."""

from __future__ import annotations

from dataclasses import dataclass
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
        """Hand ``mail`` over; answer where it went, for the log (a file, a server).

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
    """Not now: the network, a full disk, a 4xx answer. The mail is tried again later."""


class Refused(Exception):
    """Never: a 5xx answer to this mail, an address that cannot exist. Not tried again."""
