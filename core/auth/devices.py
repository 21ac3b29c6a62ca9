"""Where somebody is signed in, and how they end it: here, there, or everywhere else."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Select, select, update

from core.clock import utcnow
from core.db import db
from core.engine import emit

from . import tickets
from .events import SessionEnded
from .models import AuthSession
from .state import auth


def living(user_id: UUID) -> Select[AuthSession]:
    """The sessions of somebody that could still be used."""
    now = utcnow()
    return select(AuthSession).where(
        AuthSession.user_id == user_id,
        AuthSession.revoked_at.is_(None),
        AuthSession.expires_at > now,
        AuthSession.last_used_at > now - auth().longest_idle,
    )


def end(user_id: UUID, session_id: UUID, *, reason: str = "revoked") -> bool:
    """End one session of somebody; false for what is none of theirs, or has ended."""
    return bool(_revoke(user_id, AuthSession.id == session_id, reason))


def end_sessions(user_id: UUID, *, but: UUID | None = None, reason: str = "others_revoked") -> None:
    """End every session of somebody, except ``but``, and every log-in of theirs that is half done.

    In the open unit of work; ``session.ended`` tells of each, with ``reason`` (at most 40 characters).
    """
    tickets.void(user_id)
    _revoke(user_id, AuthSession.id != but if but else AuthSession.id.is_not(None), reason)


def _revoke(user_id: UUID, which: object, reason: str) -> list[UUID]:
    """End sessions and say so, in the open unit of work; all tokens of theirs end with them."""
    ended = list(
        db.session.execute(
            update(AuthSession)
            .where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None), which)  # type: ignore[arg-type]
            .values(revoked_at=utcnow(), revoked_for=reason)
            .returning(AuthSession.id)
            .execution_options(synchronize_session=False)
        ).scalars()
    )
    for session_id in ended:
        auth().standings.forget_once_committed(session_id)
        emit(SessionEnded(user_id=user_id, session_id=session_id, reason=reason))
    return ended
