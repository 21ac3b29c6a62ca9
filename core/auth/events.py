"""Facts about signing in. A code's digits are in none of them: ask ``verification_code(code_id)``."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.engine import Event


@dataclass(frozen=True)
class OtpRequested(Event, type="otp.requested", version=1, scope="instance"):
    """Somebody shall get a code by e-mail; ``purpose`` says what it is good for."""

    code_id: UUID
    user_id: UUID
    email: str
    purpose: str


@dataclass(frozen=True)
class OtpWithheld(Event, type="otp.withheld", version=1, scope="instance"):
    """A code was asked for where there is nobody to send it to: the asking counts, no mail goes out."""

    code_id: UUID
    purpose: str


@dataclass(frozen=True)
class RegistrationRepeated(Event, type="user.registration_repeated", version=1, scope="instance"):
    """Somebody registered with a verified account's address. Only its owner may learn of it, by mail."""

    user_id: UUID
    email: str


@dataclass(frozen=True)
class PasswordChanged(Event, type="password.changed", version=1, scope="instance"):
    """A password is another one now; the other sessions have ended."""

    user_id: UUID
    email: str
    ip: str


@dataclass(frozen=True)
class EmailChanged(Event, type="email.changed", version=1, scope="instance"):
    """An account moved from the address ``old`` to ``new``; the other sessions have ended."""

    user_id: UUID
    old: str
    new: str
    ip: str


@dataclass(frozen=True)
class SessionEnded(Event, type="session.ended", version=1, scope="instance"):
    """A session was ended; ``reason`` is ``logged_out``, ``revoked``, ``others_revoked`` or a plugin's."""

    user_id: UUID
    session_id: UUID
    reason: str


@dataclass(frozen=True)
class UserReclaimed(Event, type="user.reclaimed", version=1, scope="instance"):
    """An account went to the owner of its address, which was not verified: its maker's ways in are closed.

    Plugins that keep something with which people get in delete theirs.
    """

    user_id: UUID


@dataclass(frozen=True)
class SecurityAlert(Event, type="security.alert", version=1, scope="instance"):
    """Something happened that the owner should hear of.

    ``kind`` is ``refresh_reused``, or what a plugin calls it: ``mfa_enabled``. ``session_id`` is the
    session it came about in, and ``ip`` may be empty: there is neither where an operator did it.
    """

    user_id: UUID
    email: str
    kind: str
    session_id: UUID | None
    ip: str


EVENTS: tuple[type[Event], ...] = (
    OtpRequested,
    OtpWithheld,
    RegistrationRepeated,
    PasswordChanged,
    EmailChanged,
    SessionEnded,
    UserReclaimed,
    SecurityAlert,
)
