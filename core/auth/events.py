"""Facts about signing in. A code's digits are in none of them: ask ``verification_code(code_id)``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.engine import Event


@dataclass(frozen=True)
class OtpRequested(
    Event, type="otp.requested", version=1, scope="instance", target=("user", "user_id"), audited=("purpose",)
):
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
class RegistrationRepeated(
    Event,
    type="user.registration_repeated",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=(),
):
    """Somebody registered with a verified account's address. Only its owner may learn of it, by mail."""

    user_id: UUID
    email: str


@dataclass(frozen=True)
class PasswordChanged(
    Event, type="password.changed", version=1, scope="instance", target=("user", "user_id"), audited=("how",)
):
    """A password is another one now; the other sessions have ended.

    ``how``: ``changed`` by its owner, ``reset`` with a code, or set at the first start (``setup``).
    """

    user_id: UUID
    email: str
    ip: str
    how: str = "changed"


@dataclass(frozen=True)
class EmailChanged(
    Event, type="email.changed", version=1, scope="instance", target=("user", "user_id"), audited=()
):
    """An account moved from the address ``old`` to ``new``; the other sessions have ended.

    ``by_admin`` where that was not its owner's doing; ``ip`` then is the admin's.
    """

    user_id: UUID
    old: str
    new: str
    ip: str
    by_admin: bool = False


@dataclass(frozen=True)
class SessionEnded(
    Event,
    type="session.ended",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=("session_id", "reason"),
):
    """A session was ended; ``reason`` is ``logged_out``, ``revoked``, ``others_revoked`` or a plugin's."""

    user_id: UUID
    session_id: UUID
    reason: str


@dataclass(frozen=True)
class UserReclaimed(
    Event, type="user.reclaimed", version=1, scope="instance", target=("user", "user_id"), audited=()
):
    """An account went to the owner of its address, which was not verified: its maker's ways in are closed.

    Plugins that keep something with which people get in delete theirs.
    """

    user_id: UUID


@dataclass(frozen=True)
class SessionsRevoked(
    Event,
    type="session.revoked",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=("reason", "count"),
):
    """Sessions of somebody ended, ``count`` of them, because of something else that happened."""

    user_id: UUID
    reason: str
    count: int


@dataclass(frozen=True)
class LoginFailed(
    Event,
    type="login.failed",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=("count", "since", "ip"),
):
    """A wrong password was tried on somebody's account ``count`` times in the quarter of an hour from
    ``since`` on; ``ip`` is where the last one came from. Told when that time is over."""

    user_id: UUID
    count: int
    since: datetime
    ip: str | None


@dataclass(frozen=True)
class SigningKeyPublished(
    Event,
    type="signing_key.published",
    version=1,
    scope="instance",
    target=("signing_key", "kid"),
    audited=(),
):
    """There is a key that will sign access tokens."""

    kid: str


@dataclass(frozen=True)
class SigningKeyActivated(
    Event,
    type="signing_key.activated",
    version=1,
    scope="instance",
    target=("signing_key", "kid"),
    audited=("before", "leaked"),
):
    """A key signs access tokens now. ``leaked``: none that was there before is trusted any more."""

    kid: str
    before: str | None
    leaked: bool


@dataclass(frozen=True)
class SecurityAlert(
    Event,
    type="security.alert",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=("kind", "session_id"),
):
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
    SessionsRevoked,
    LoginFailed,
    SigningKeyPublished,
    SigningKeyActivated,
    UserReclaimed,
    SecurityAlert,
)
