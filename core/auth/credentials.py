"""Stored passwords: putting, finding and changing them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, delete, select, update

from core.clock import utcnow
from core.db import begin, db
from core.engine import emit
from core.errors import Conflict, Invalid
from core.users import User

from . import codes, sessions
from .events import PasswordChanged
from .models import OldPassword, Password
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


def holds(held: Credential) -> bool:
    """Whether the password in ``held`` is still somebody's; it stays so until the open unit of work ends."""
    now = select(Password.hash).where(Password.user_id == held.user_id).with_for_update()
    return held.hash is not None and db.session.execute(now).scalar_one_or_none() == held.hash


def forget(user_id: UUID) -> None:
    """Leave somebody without a password, in the open unit of work."""
    db.session.execute(
        delete(Password).where(Password.user_id == user_id).execution_options(synchronize_session=False)
    )


def hash_new(held: Credential, new: str) -> str:
    """The hash of a password to replace the one in ``held``. Slow: call it before the transaction begins.

    Raises ``Invalid`` for one that is poor, or that its owner has or had: of those as many count as
    ``auth.password_history`` says.
    """
    parts = auth()
    parts.passwords.check(new, email=held.email, name=held.name, field="newPassword")
    with begin(write=False):
        others = _old(held.user_id).limit(parts.config.auth.password_history - 1)
        hashes = [held.hash, *db.session.execute(others).scalars()]
    if any(parts.passwords.verify(known, new) for known in hashes):
        raise Invalid("Choose another password.", errors={"newPassword": ["You have or had this password."]})
    return parts.passwords.hash(new)


def remember(held: Credential) -> None:
    """Keep the password in ``held`` among those that cannot be chosen again, in the open unit of work."""
    kept = auth().config.auth.password_history - 1
    if held.hash is not None and kept:
        db.insert(OldPassword(user_id=held.user_id, hash=held.hash))
    fresh = _old(held.user_id).with_only_columns(OldPassword.id).limit(kept)
    db.session.execute(
        delete(OldPassword)
        .where(OldPassword.user_id == held.user_id, OldPassword.id.not_in(fresh))
        .execution_options(synchronize_session=False)
    )


def _old(user_id: UUID) -> Select[str]:
    """The hashes of somebody's former passwords, the newest first."""
    had = select(OldPassword.hash).where(OldPassword.user_id == user_id)
    return had.order_by(OldPassword.created_at.desc(), OldPassword.id.desc())


def change(*, user_id: UUID, session_id: UUID | None, current: str, new: str, ip: str) -> None:
    """Replace a password and end every other session of its owner.

    Raises ``Invalid`` for a wrong current password and for a new one that is poor or the same,
    ``Conflict`` when somebody else changed it meanwhile.
    """
    parts = auth()
    held = find(user_id=user_id)
    if held is None or not parts.passwords.verify(held.hash, current):
        raise Invalid("That is not your password.", errors={"currentPassword": ["Not your password."]})
    hashed = hash_new(held, new)
    changed = db.session.execute(
        update(Password)
        .where(Password.user_id == user_id, Password.hash == held.hash)
        .values(hash=hashed, changed_at=utcnow(), must_change=False, spent=False)
        .returning(Password.user_id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if changed is None:
        raise Conflict("The password was changed meanwhile.")
    remember(held)
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
