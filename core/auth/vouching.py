"""What plugins need that let people in by the word of somebody else: accounts made, found and given back.

Everything here runs in the open unit of work.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, exists, select

from core.clock import utcnow
from core.db import db
from core.engine import emit
from core.users import User, UserInfo, create_user, mark_verified

from . import codes, sessions
from .events import UserReclaimed
from .models import AuthSession, OldPassword, Password
from .state import auth


def add_user(*, email: str, name: str) -> UserInfo | None:
    """Make an account without a password for somebody whose address is known to be theirs.

    They get an organisation of their own, as whoever registers does. ``email`` is spelt as
    ``normalise_email`` gives it; ``None`` where it has an account.
    """
    user = create_user(email=email, name=name, verified=True)
    if user is not None:
        auth().organisations.welcome(user)
    return user


def reclaim(user_id: UUID) -> None:
    """Give an account to the owner of its address, which nobody had shown to be theirs until now.

    Whoever made it may be somebody else, waiting for the owner to move in: the password, every
    session, half-done log-in and code of theirs end. Emits ``user.reclaimed`` and ``user.verified``.
    """
    for model in (Password, OldPassword):
        db.session.execute(delete(model).where(model.user_id == user_id))
    codes.void(user_id)
    sessions.revoke_all(user_id, reason="reclaimed")
    auth().standings.forget_once_committed()
    mark_verified(user_id)
    emit(UserReclaimed(user_id=user_id))


def has_password(user_id: UUID) -> bool:
    """Whether somebody can sign in with a password."""
    return bool(db.session.execute(select(exists().where(Password.user_id == user_id))).scalar())


def session_holds(session_id: UUID) -> bool:
    """Whether a session is in force at this moment, and its owner in good standing."""
    held = select(AuthSession.id).join(User, User.id == AuthSession.user_id)
    held = held.where(
        AuthSession.id == session_id,
        AuthSession.revoked_at.is_(None),
        AuthSession.expires_at > utcnow(),
        User.status == "active",
    )
    return db.session.execute(held).scalar_one_or_none() is not None
