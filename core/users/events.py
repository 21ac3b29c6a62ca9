"""Facts about people. They carry ids and addresses, never credentials."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.engine import Event


@dataclass(frozen=True)
class UserCreated(
    Event, type="user.created", version=1, scope="instance", target=("user", "user_id"), audited=()
):
    """An account exists; its address is not verified yet."""

    user_id: UUID
    email: str
    name: str


@dataclass(frozen=True)
class UserVerified(
    Event, type="user.verified", version=1, scope="instance", target=("user", "user_id"), audited=()
):
    """The person showed that the address is theirs."""

    user_id: UUID
    email: str


@dataclass(frozen=True)
class UserUpdated(
    Event, type="user.updated", version=1, scope="instance", target=("user", "user_id"), audited=("fields",)
):
    """Somebody's profile or preferences are others now; ``fields`` names which, not what they are."""

    user_id: UUID
    fields: list[str]


@dataclass(frozen=True)
class UserLogin(
    Event,
    type="user.login",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=("session_id", "amr"),
):
    """Somebody signed in, by the methods in ``amr`` (RFC 8176), and a session began."""

    user_id: UUID
    session_id: UUID
    amr: list[str]
    ip: str
    user_agent: str


EVENTS: tuple[type[Event], ...] = (UserCreated, UserVerified, UserUpdated, UserLogin)
