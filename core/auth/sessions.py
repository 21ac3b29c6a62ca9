"""Sessions: the row behind every token, and how soon an end to it is felt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from core.clock import utcnow
from core.db import begin, current_unit, db, uuid7
from core.engine import emit
from core.users import User, UserRole

from . import opaque, tickets
from .events import SessionsRevoked
from .models import AuthSession, Password, RefreshToken

FRESH_FOR = 5.0  # seconds a process may go on believing in a session
_REMEMBERED = 20_000
REFRESH = "rt"  # the kind of refresh tokens


@dataclass(frozen=True)
class Standing:
    """What a session is worth right now."""

    user_id: UUID
    organisation_id: UUID | None
    roles: frozenset[str]
    active: bool
    must_change_password: bool
    expires_at: datetime


@dataclass
class Standings:
    """The standing of sessions, asked of the database at most every five seconds each.

    That bound is what makes logging out, suspending and losing a role effective everywhere, with
    Redis or without. A change made in this process is felt at once.
    """

    _seen: dict[UUID, tuple[float, Standing | None]] = field(default_factory=dict)

    def of(self, session_id: UUID) -> Standing | None:
        """The standing of a session; ``None`` where there is no such row."""
        return self._remembered(session_id, _read_standing)

    def of_user(self, user_id: UUID) -> Standing | None:
        """The standing of somebody whose credential no session stands behind."""
        return self._remembered(user_id, _read_user)

    def _remembered(self, identifier: UUID, read: Callable[[UUID], Standing | None]) -> Standing | None:
        now = time.monotonic()
        seen = self._seen.get(identifier)
        if seen is not None and now - seen[0] < FRESH_FOR:
            return seen[1]
        with begin(write=False):
            standing = read(identifier)
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[identifier] = (now, standing)
        return standing

    def forget(self, session_id: UUID | None = None) -> None:
        """Ask afresh for one session, or for all."""
        if session_id is None:
            self._seen.clear()
        else:
            self._seen.pop(session_id, None)

    def forget_once_committed(self, session_id: UUID | None = None) -> None:
        """``forget`` when the open unit of work has become durable."""
        unit = current_unit()
        if unit is None:
            self.forget(session_id)
        else:
            unit.after_commit.append(lambda: self.forget(session_id))


def _read_standing(session_id: UUID) -> Standing | None:
    rows = db.session.execute(
        select(
            AuthSession.user_id,
            AuthSession.organisation_id,
            AuthSession.expires_at,
            AuthSession.revoked_at,
            User.status,
            Password.must_change,
            UserRole.role,
        )
        .join(User, User.id == AuthSession.user_id)
        .outerjoin(Password, Password.user_id == User.id)
        .outerjoin(UserRole, UserRole.user_id == User.id)
        .where(AuthSession.id == session_id)
    ).all()
    if not rows:
        return None
    first = rows[0]
    return Standing(
        user_id=first.user_id,
        organisation_id=first.organisation_id,
        roles=frozenset({"user", *(row.role for row in rows if row.role)}),
        active=first.revoked_at is None and first.status == "active",
        must_change_password=bool(first.must_change),
        expires_at=first.expires_at,
    )


def _read_user(user_id: UUID) -> Standing | None:
    rows = db.session.execute(
        select(User.status, Password.must_change, UserRole.role)
        .outerjoin(Password, Password.user_id == User.id)
        .outerjoin(UserRole, UserRole.user_id == User.id)
        .where(User.id == user_id)
    ).all()
    if not rows:
        return None
    return Standing(
        user_id=user_id,
        organisation_id=None,
        roles=frozenset({"user", *(row.role for row in rows if row.role)}),
        active=rows[0].status == "active",
        must_change_password=bool(rows[0].must_change),
        expires_at=utcnow() + timedelta(seconds=FRESH_FOR * 2),  # asked again before that
    )


@dataclass(frozen=True)
class Issued:
    """A session's newest refresh token: the only time its text exists."""

    session_id: UUID
    user_id: UUID
    organisation_id: UUID | None
    amr: list[str]
    refresh_token: str
    refresh_expires_at: datetime


@dataclass(frozen=True)
class Lifetimes:
    """How long a refresh token lives unused, and a session at most."""

    idle: timedelta
    absolute: timedelta


def start(
    user_id: UUID, *, organisation_id: UUID | None, amr: list[str], ip: str, user_agent: str, last: Lifetimes
) -> Issued:
    """Begin a session in the open unit of work."""
    now = utcnow()
    row = AuthSession(
        user_id=user_id,
        organisation_id=organisation_id,
        amr=amr,
        ip=ip,
        user_agent=user_agent[:200],
        expires_at=now + last.absolute,
    )
    db.insert(row)
    token, expires_at = issue(row.id, now, last, until=row.expires_at)
    return Issued(row.id, user_id, organisation_id, amr, token, expires_at)


def revoke(session_id: UUID, *, reason: str) -> bool:
    """End a session and every token of it; false where it had ended before."""
    ended = db.session.execute(
        update(AuthSession)
        .where(AuthSession.id == session_id, AuthSession.revoked_at.is_(None))
        .values(revoked_at=utcnow(), revoked_for=reason)
        .returning(AuthSession.id)
    ).scalar_one_or_none()
    return ended is not None


def revoke_all(user_id: UUID, *, reason: str, but: UUID | None = None) -> None:
    """End every session of somebody, except ``but``, and every log-in of theirs that is half done.

    Emits ``session.revoked`` where there was a session to end.
    """
    tickets.void(user_id)  # first: one being redeemed now is waited for, and its session ended below
    statement = update(AuthSession).where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
    if but is not None:
        statement = statement.where(AuthSession.id != but)
    ended = db.session.execute(
        statement.values(revoked_at=utcnow(), revoked_for=reason)
        .returning(AuthSession.id)
        .execution_options(synchronize_session=False)
    ).all()
    if ended:
        emit(SessionsRevoked(user_id=user_id, reason=reason, count=len(ended)))


def issue(session_id: UUID, now: datetime, last: Lifetimes, *, until: datetime) -> tuple[str, datetime]:
    """The next refresh token of a session, and until when it holds. Only its hash is stored."""
    identifier = uuid7()
    text, secret_hash = opaque.make(identifier, kind=REFRESH)
    expires_at = min(now + last.idle, until)
    db.insert(
        RefreshToken(id=identifier, session_id=session_id, secret_hash=secret_hash, expires_at=expires_at)
    )
    return text, expires_at
