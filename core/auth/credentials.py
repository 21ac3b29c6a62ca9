"""Stored passwords: putting, finding and changing them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update

from core.clock import utcnow
from core.db import begin, db
from core.engine import emit
from core.errors import Conflict, Invalid
from core.users import User

from . import codes, sessions
from .events import PasswordChanged
from .models import Password
from .state import auth


@dataclass(frozen=True)
class Credential:
    """Somebody and their password's hash, as read before it is verified."""

    user_id: UUID
    email: str
    name: str
    status: str
    verified: bool
    hash: str | None


def find(*, email: str | None = None, user_id: UUID | None = None) -> Credential | None:
    """The credential of one account, read in a unit of work that is over when this returns."""
    which = User.id == user_id if email is None else User.email == email
    with begin(write=False):
        row = db.session.execute(
            select(User.id, User.email, User.name, User.status, User.verified_at, Password.hash)
            .outerjoin(Password, Password.user_id == User.id)
            .where(which)
        ).one_or_none()
    if row is None:
        return None
    return Credential(row.id, row.email, row.name, row.status, row.verified_at is not None, row.hash)


def store(user_id: UUID, hashed: str, *, must_change: bool = False) -> None:
    """Make ``hashed`` somebody's password, in the open unit of work."""
    known = db.session.execute(
        update(Password)
        .where(Password.user_id == user_id)
        .values(hash=hashed, changed_at=utcnow(), must_change=must_change, spent=False)
        .returning(Password.user_id)
    ).scalar_one_or_none()
    if known is None:
        db.insert(Password(user_id=user_id, hash=hashed, must_change=must_change))


def change(*, user_id: UUID, session_id: UUID | None, current: str, new: str, ip: str) -> None:
    """Replace a password and end every other session of its owner.

    Raises ``Invalid`` for a wrong current password and for a new one that is poor or the same,
    ``Conflict`` when somebody else changed it meanwhile.
    """
    parts = auth()
    held = find(user_id=user_id)
    if held is None or not parts.passwords.verify(held.hash, current):
        raise Invalid("That is not your password.", errors={"currentPassword": ["Not your password."]})
    if new == current:
        raise Invalid("Choose another password.", errors={"newPassword": ["This is your password already."]})
    parts.passwords.check(new, email=held.email, name=held.name, field="newPassword")
    hashed = parts.passwords.hash(new)
    changed = db.session.execute(
        update(Password)
        .where(Password.user_id == user_id, Password.hash == held.hash)
        .values(hash=hashed, changed_at=utcnow(), must_change=False, spent=False)
        .returning(Password.user_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if changed is None:
        raise Conflict("The password was changed meanwhile.")
    codes.void(user_id)
    sessions.revoke_all(user_id, reason="password_changed", but=session_id)
    parts.standings.forget_once_committed()
    emit(PasswordChanged(user_id=user_id, email=held.email, ip=ip))


def waiting_for_change(email: str) -> UUID | None:
    """The id of the account of ``email`` if it still has the first password it must change."""
    with begin(write=False):
        return db.session.execute(
            select(User.id)
            .join(Password, Password.user_id == User.id)
            .where(User.email == email, Password.must_change)
        ).scalar_one_or_none()
