"""Facts about second steps. The actor is the event's; no secret and no code is in any of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.api import Event


@dataclass(frozen=True)
class FactorAdded(Event, type="mfa.factor_added", version=1, scope="instance"):
    """Somebody confirmed an authenticator app; ``first`` says that there was no second step before."""

    user_id: UUID
    factor_id: UUID
    kind: str
    first: bool


@dataclass(frozen=True)
class FactorRemoved(Event, type="mfa.factor_removed", version=1, scope="instance"):
    """Somebody removed one; ``last`` says that there is no second step any more."""

    user_id: UUID
    factor_id: UUID
    last: bool


@dataclass(frozen=True)
class RecoveryCodesReplaced(Event, type="mfa.recovery_codes_replaced", version=1, scope="instance"):
    """Somebody has new recovery codes; the former ones are worthless."""

    user_id: UUID


@dataclass(frozen=True)
class RecoveryCodeUsed(Event, type="mfa.recovery_code_used", version=1, scope="instance"):
    """Somebody got in by a recovery code; so many are ``left``."""

    user_id: UUID
    left: int


@dataclass(frozen=True)
class TriesExhausted(Event, type="mfa.tries_exhausted", version=1, scope="instance"):
    """Somebody who knows the password tried as many codes as an hour allows."""

    user_id: UUID


@dataclass(frozen=True)
class MfaReset(Event, type="mfa.reset", version=1, scope="instance"):
    """An admin or operator took somebody's second step away, with all factors and recovery codes."""

    user_id: UUID
    factors: int


ALL: list[type[Event]] = [
    FactorAdded,
    FactorRemoved,
    RecoveryCodesReplaced,
    RecoveryCodeUsed,
    TriesExhausted,
    MfaReset,
]
