"""People as admins see and change them. What takes something from somebody ends their sessions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from core.access import may
from core.auth import codes, credentials, sessions
from core.auth.state import auth
from core.clock import utcnow
from core.context import principal
from core.db import begin, db
from core.engine import emit
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.log import get_logger
from core.users import User, UserRole, UserUpdated, create_user

from . import rank, roles
from .events import (
    UserDeleted,
    UserErased,
    UserInvited,
    UserReinstated,
    UserRolesChanged,
    UserSuspended,
)

log = get_logger(__name__)

_ADMINS_ALONE = frozenset({"email", "verified"})


def listed(*, deleted: bool = False) -> Select[User]:
    """Everybody who is not deleted, or those who are, with their roles."""
    there = User.deleted_at.is_not(None) if deleted else User.deleted_at.is_(None)
    return select(User).where(there).options(selectinload(User.granted))


def visible(user_id: UUID) -> Select[User]:
    """One person: for themselves and those who may see everybody. Others are answered as for nobody."""
    if user_id != principal().user_id and not may("core.user.read"):
        raise NotFound
    return listed().where(User.id == user_id)


def create(
    *, email: str, name: str, password: str | None, held: Iterable[str] | None, verified: bool
) -> User:
    """Make an account for somebody, with an organisation of their own.

    A password given here is good for one log-in, at which it must be changed. Raises ``Conflict``
    for a known address, ``Invalid`` for a poor password, ``Forbidden`` for roles beyond the caller.
    """
    wanted = _checked(held or ())
    if wanted and not may("core.role.assign"):
        raise Forbidden("You do not give roles.")
    rank.reach(wanted)
    parts = auth()
    hashed = None
    if password is not None:
        parts.passwords.check(password, email=email, name=name)
        hashed = parts.passwords.hash(password)  # slow, so before the transaction begins
    user = create_user(email=email, name=name, verified=verified)
    if user is None:
        raise Conflict("This address has an account.", errors={"email": ["This address has an account."]})
    parts.organisations.welcome(user)
    if hashed is not None:
        credentials.store(user.id, hashed, must_change=True)
    for role in wanted:
        db.insert(UserRole(user_id=user.id, role=role))
    emit(UserInvited(user_id=user.id, email=email, name=name, has_password=hashed is not None))
    return _one(user.id)


def change(user_id: UUID, values: dict[str, Any]) -> User:
    """Change what ``values`` names; of oneself everybody may change all but address and verification.

    Another address must be verified again unless ``verified`` says that it is, and ends every
    session but the caller's. Raises ``Conflict`` for an address that is taken.
    """
    admin = may("core.user.write")
    if not admin and user_id != principal().user_id:
        raise NotFound
    if not admin and _ADMINS_ALONE & values.keys():
        raise Forbidden("An admin changes this.")
    row = _locked(user_id)
    if user_id != principal().user_id:
        rank.reach(row.roles)
    values = dict(values)
    moved = values.get("email", row.email) != row.email
    if "verified" in values or moved:
        verified = values.pop("verified", False)
        values["verified_at"] = (row.verified_at if not moved else None) or utcnow() if verified else None
    changed = sorted(key for key, value in values.items() if getattr(row, key) != value)
    try:
        with db.session.begin_nested():
            for key in changed:
                setattr(row, key, values[key])
            db.session.flush()
    except IntegrityError:
        raise Conflict(
            "This address has an account.", errors={"email": ["This address has an account."]}
        ) from None
    if moved:
        _end_sessions(user_id, "email_changed")
        codes.void(user_id)  # one that went to the old address must not verify the new one
    if changed:
        emit(UserUpdated(user_id=user_id, fields=changed))
    return row


def assign(user_id: UUID, held: Iterable[str]) -> User:
    """Let somebody hold exactly these roles of the instance, beside being a user.

    Losing one ends their sessions. Raises ``Invalid`` for a role there is not, ``Forbidden`` for
    somebody or something beyond the caller, ``Conflict`` for the last superadmin.
    """
    wanted = set(_checked(held))
    row = _locked(user_id)
    before = {grant.role for grant in row.granted}
    rank.reach(row.roles)
    rank.reach(wanted)
    lost = before - wanted
    if rank.SUPERADMIN in lost:
        rank.keep_a_superadmin(user_id)
    if before == wanted:
        return row
    db.session.execute(
        delete(UserRole)
        .where(UserRole.user_id == user_id, UserRole.role.in_(lost))
        .execution_options(synchronize_session=False)
    )
    for role in sorted(wanted - before):
        db.insert(UserRole(user_id=user_id, role=role))
    if lost:
        _end_sessions(user_id, "role_lost")
    auth().standings.forget_once_committed()
    emit(UserRolesChanged(user_id=user_id, roles=sorted(wanted), before=sorted(before)))
    return _one(user_id)


def confirm_reach(user_id: UUID) -> None:
    """Lock somebody the caller is about to change. Raises ``NotFound``, ``Forbidden`` ``above_you``."""
    rank.reach(_locked(user_id).roles)


def suspend(user_id: UUID, reason: str) -> User:
    """Keep somebody out from now on. Raises as ``remove`` does, but for organisations."""
    row = _taken_out(user_id)
    if row.status == "active":
        row.status = "suspended"
        _end_sessions(user_id, "suspended")
        emit(UserSuspended(user_id=user_id, email=row.email, reason=reason))
    return row


def reinstate(user_id: UUID) -> User:
    """Let somebody in again, also one who was deleted while the grace lasts."""
    row = _locked(user_id, deleted=None)
    rank.reach(row.roles)
    if row.deleted_at is not None and not may("core.user.delete"):
        raise NotFound
    if row.status != "active":
        row.status, row.deleted_at = "active", None
        auth().standings.forget_once_committed()
        emit(UserReinstated(user_id=user_id, email=row.email))
    return row


def remove(user_id: UUID) -> None:
    """Delete somebody: out at once, gone with all that is theirs when the grace is over.

    Raises ``NotFound``; ``Forbidden`` for somebody beyond the caller; ``Conflict`` for oneself, the
    last superadmin, and the last owner of an organisation that others use.
    """
    row = _taken_out(user_id)
    auth().organisations.release(user_id)
    row.status, row.deleted_at = "suspended", utcnow()
    _end_sessions(user_id, "deleted")
    emit(UserDeleted(user_id=user_id, email=row.email))


def purge() -> dict[str, int]:
    """``core.purge_users``: erase those whose grace is over; idempotent by their ids."""
    before = utcnow() - auth().config.auth.deletion_grace
    with begin(write=False):
        due = db.session.scalars(select(User.id).where(User.deleted_at <= before)).all()
    for user_id in due:
        auth().organisations.bury(user_id)
        with begin():
            gone = delete(User).where(User.id == user_id, User.deleted_at <= before).returning(User.id)
            if db.session.execute(gone).scalar_one_or_none() is not None:
                emit(UserErased(user_id=user_id))
        log.info("user erased", user=str(user_id))
    return {"erased": len(due)}


def _one(user_id: UUID) -> User:
    fresh = listed().where(User.id == user_id).execution_options(populate_existing=True)
    return db.session.scalars(fresh).one()


def _locked(user_id: UUID, *, deleted: bool | None = False) -> User:
    """Somebody with their roles, kept from being changed by others. Raises ``NotFound``."""
    statement = listed() if deleted is False else select(User).options(selectinload(User.granted))
    statement = statement.where(User.id == user_id).with_for_update(of=User, key_share=True)
    row = db.session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def _taken_out(user_id: UUID) -> User:
    row = _locked(user_id)
    if user_id == principal().user_id:
        raise Conflict("Have another admin do this to you.", code="yourself")
    rank.reach(row.roles)
    if rank.SUPERADMIN in row.roles:
        rank.keep_a_superadmin(user_id)
    return row


def _checked(held: Iterable[str]) -> list[str]:
    """The roles that have rows: all but ``user``. Raises ``Invalid`` for one there is not."""
    wanted = sorted(set(held) - {"user"})
    unknown = [role for role in wanted if not roles.known(role)]
    if unknown:
        raise Invalid(errors={"role": [f"There is no role {role}." for role in unknown]})
    return wanted


def _end_sessions(user_id: UUID, reason: str) -> None:
    who = principal()
    sessions.revoke_all(user_id, reason=reason, but=who.session_id if user_id == who.user_id else None)
    auth().standings.forget_once_committed()
