"""Facts about linked accounts. They name issuer and provider, never a token or who somebody is there."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.api import Event


@dataclass(frozen=True)
class IdentityLinked(Event, type="identity.linked", version=1, scope="instance"):
    """Somebody can sign in by an account elsewhere; ``how`` is ``registered``, ``address`` or ``asked``."""

    user_id: UUID
    identity_id: UUID
    provider: str
    issuer: str
    how: str


@dataclass(frozen=True)
class IdentityUnlinked(Event, type="identity.unlinked", version=1, scope="instance"):
    """An account elsewhere lets somebody in no more."""

    user_id: UUID
    identity_id: UUID
    provider: str
    issuer: str


ALL: list[type[Event]] = [IdentityLinked, IdentityUnlinked]
