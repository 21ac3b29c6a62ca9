"""Making and finding people. Everything here runs in the caller's unit of work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, select, update
from sqlalchemy.orm import aliased

from core.clock import utcnow
from core.db import begin, current_unit, db
from core.engine import emit

from .events import UserCreated, UserVerified
from .models import ROLES, User, UserRole
from .preferences import preferences_of


@dataclass(frozen=True)
class UserInfo:
    """What other rooms and plugins may know of somebody."""

    id: UUID
    email: str
    name: str
    status: str
    verified: bool
    locale: str
    timezone: str
    avatar: str | None
    preferences: dict[str, Any]
    created_at: datetime


def find_user(user_id: UUID) -> UserInfo | None:
    """Somebody by id, or ``None``. Joins the open unit of work, or reads in one of its own."""
    return _one(select(User).where(User.id == user_id))


def find_by_email(email: str) -> UserInfo | None:
    """Somebody by address, spelt as ``normalise`` gives it."""
    return _one(select(User).where(User.email == email))


def _one(statement: Select[User]) -> UserInfo | None:
    if current_unit() is None:
        with begin(write=False):
            return _one(statement)
    row = db.session.execute(statement).scalar_one_or_none()
    return None if row is None else _info(row)


def _info(row: User) -> UserInfo:
    return UserInfo(
        id=row.id,
        email=row.email,
        name=row.name,
        status=row.status,
        verified=row.verified_at is not None,
        locale=row.locale,
        timezone=row.timezone,
        avatar=row.avatar,
        preferences=preferences_of(row.preferences),
        created_at=row.created_at,
    )


def create_user(*, email: str, name: str, verified: bool = False) -> UserInfo | None:
    """Add somebody; ``None`` where the address is taken, decided by the database.

    Emits ``user.created``, and ``user.verified`` where nobody needs to ask.
    """
    statement = (
        db.unit.upsert(User)
        .values(email=email, name=name, verified_at=utcnow() if verified else None)
        .on_conflict_do_nothing(index_elements=[User.email])
        .returning(User.id)
    )
    identifier = db.session.execute(statement).scalar_one_or_none()
    if identifier is None:
        return None
    emit(UserCreated(user_id=identifier, email=email, name=name))
    if verified:
        emit(UserVerified(user_id=identifier, email=email))
    return find_user(identifier)


def mark_verified(user_id: UUID) -> bool:
    """Note that the address is theirs; false where that was known. Emits ``user.verified``."""
    changed = db.session.execute(
        update(User)
        .where(User.id == user_id, User.verified_at.is_(None))
        .values(verified_at=utcnow())
        .returning(User.email)
    ).scalar_one_or_none()
    if changed is None:
        return False
    emit(UserVerified(user_id=user_id, email=changed))
    return True


def change_address(user_id: UUID, *, old: str, new: str) -> bool:
    """Give somebody the verified address ``new``; false where it is taken or they are not at ``old``.

    Raises ``IntegrityError`` where another transaction takes it at the same moment.
    """
    other = aliased(User)
    moved = db.session.execute(
        update(User)
        .where(User.id == user_id, User.email == old, ~exists().where(other.email == new))
        .values(email=new, verified_at=utcnow())
        .returning(User.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    return moved is not None


def rename(user_id: UUID, name: str) -> None:
    """Give somebody another name."""
    db.session.execute(update(User).where(User.id == user_id).values(name=name))


def note_login(user_id: UUID) -> None:
    """Remember that somebody signed in now."""
    db.session.execute(update(User).where(User.id == user_id).values(last_login_at=utcnow()))


def roles_of(user_id: UUID) -> frozenset[str]:
    """The instance roles somebody holds, ``user`` among them."""
    held = db.session.execute(select(UserRole.role).where(UserRole.user_id == user_id)).scalars()
    return frozenset({"user", *held})


def grant_role(user_id: UUID, role: str) -> None:
    """Let somebody hold a role of the instance. Raises ``ValueError`` for one there is not."""
    if role not in ROLES:
        raise ValueError(f"there is no role {role}")
    db.insert(UserRole(user_id=user_id, role=role))


def revoke_role(user_id: UUID, role: str) -> None:
    """Take a role of the instance away; nothing happens where it was not held."""
    db.session.execute(delete(UserRole).where(UserRole.user_id == user_id, UserRole.role == role))


def someone_holds(role: str) -> bool:
    """Whether anybody on this instance holds ``role``."""
    return bool(db.session.execute(select(exists().where(UserRole.role == role))).scalar())
