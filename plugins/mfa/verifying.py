"""The second step itself: a ticket and a code become a session."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import Unauthorized, emit, finish_sign_in, security_alert, ticket_holder

from . import account, factors, recovery
from .events import RecoveryCodeUsed


def methods(user_id: UUID) -> list[str] | None:
    """How somebody can take the second step; ``None`` where they need none."""
    if factors.count(user_id) == 0:
        return None
    return ["totp", "recovery_code"] if recovery.left(user_id) else ["totp"]


def with_code(ticket: str, code: str) -> dict[str, Any]:
    """Finish a log-in with a code of an authenticator app.

    Raises ``Unauthorized`` ``invalid_ticket`` or ``invalid_code``, ``Problem`` 429 past ten wrong
    codes an hour, ``Forbidden`` where the account was suspended meanwhile.
    """
    user_id, counted = _counted(ticket)
    if not factors.take(user_id, code):
        raise _wrong()
    account.forgive(user_id, counted)
    return finish_sign_in(ticket, amr="otp")


def with_recovery_code(ticket: str, code: str) -> dict[str, Any]:
    """Finish a log-in with a recovery code; its owner hears of it. Raises as ``with_code`` does."""
    user_id, counted = _counted(ticket)
    if factors.count(user_id) == 0 or not recovery.take(user_id, code):
        raise _wrong()
    account.forgive(user_id, counted)
    session = finish_sign_in(ticket, amr="recovery")
    emit(RecoveryCodeUsed(user_id=user_id, left=recovery.left(user_id)))
    security_alert(user_id, kind="mfa_recovery_code_used")
    return session


def _counted(ticket: str) -> tuple[UUID, float]:
    """Whose ticket it is, the try counted on it and on the person before anything is compared."""
    user_id = ticket_holder(ticket)
    return user_id, account.count_try(user_id)


def _wrong() -> Unauthorized:
    return Unauthorized("This code is wrong or was used.", code="invalid_code")
