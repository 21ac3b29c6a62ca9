"""Telling somebody of what was done to their account, whoever did it."""

from __future__ import annotations

from uuid import UUID

from flask import has_request_context

from core.context import principal
from core.engine import emit
from core.users import find_user

from .asking import caller
from .events import SecurityAlert


def security_alert(user_id: UUID, *, kind: str) -> None:
    """Emit ``security.alert`` in the open unit of work: its owner gets a mail about ``kind``.

    ``kind`` (``mfa_enabled``) chooses the words; nothing else of what happened goes out. Nothing is
    told where the account is gone.
    """
    user = find_user(user_id)
    if user is None:
        return
    emit(
        SecurityAlert(
            user_id=user_id,
            email=user.email,
            kind=kind,
            session_id=principal().session_id if principal().user_id == user_id else None,
            ip=caller().ip if has_request_context() else "",
        )
    )
