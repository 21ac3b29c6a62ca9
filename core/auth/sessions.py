"""Sessions: the row behind every token, its chain of refresh tokens, and how soon an end to it is felt."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, exists, select, update

from core.clock import utcnow
from core.db import begin, current_unit, db, uuid7
from core.engine import emit
from core.users import User, UserRole

from . import opaque, tickets
from .events import SecurityAlert
from .models import AuthSession, Password, RefreshToken

FRESH_FOR = 5.0  # seconds a process may go on believing in a session
_REMEMBERED = 20_000
_Found = Row[str, UUID, UUID, UUID | None, list[str], datetime, str, str]
_REFRESH = "rt"


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
    token, expires_at = _issue(row.id, now, last, until=row.expires_at)
    return Issued(row.id, user_id, organisation_id, amr, token, expires_at)


def rotate(token: str, *, ip: str, last: Lifetimes, standings: Standings) -> Issued | None:
    """Exchange a refresh token for its successor, once. ``None`` where it does not hold.

    A unit of work of its own, committed on return. One atomic statement decides among callers who
    bring the same token; whoever comes second shows that it was copied, and the session ends.
    """
    given = opaque.read(token, kind=_REFRESH)
    if given is None:
        return None
    identifier = given.id
    with begin():
        found = _find(identifier)
        if found is None or not hmac.compare_digest(found.secret_hash, given.secret_hash):
            return None
        now = utcnow()
        taken = db.session.execute(
            update(RefreshToken)
            .where(
                RefreshToken.id == identifier,
                RefreshToken.used_at.is_(None),
                RefreshToken.expires_at > now,
                exists().where(
                    AuthSession.id == RefreshToken.session_id,
                    AuthSession.revoked_at.is_(None),
                    AuthSession.expires_at > now,
                ),
            )
            .values(used_at=now)
            .returning(RefreshToken.id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()
        if taken is None:
            _end_if_reused(identifier, found, ip)
            standings.forget_once_committed(found.session_id)
            return None
        if found.status != "active":
            return None
        db.session.execute(
            update(AuthSession).where(AuthSession.id == found.session_id).values(last_used_at=now)
        )
        successor, expires_at = _issue(found.session_id, now, last, until=found.expires_at)
        return Issued(
            found.session_id, found.user_id, found.organisation_id, list(found.amr), successor, expires_at
        )


def session_of(token: str) -> UUID | None:
    """The session a refresh token names, whether the token holds or not."""
    given = opaque.read(token, kind=_REFRESH)
    if given is None:
        return None
    with begin(write=False):
        return db.session.execute(
            select(RefreshToken.session_id).where(RefreshToken.id == given.id)
        ).scalar_one_or_none()


def _find(identifier: UUID) -> _Found | None:
    return db.session.execute(
        select(
            RefreshToken.secret_hash,
            AuthSession.id.label("session_id"),
            AuthSession.user_id,
            AuthSession.organisation_id,
            AuthSession.amr,
            AuthSession.expires_at,
            User.status,
            User.email,
        )
        .join(AuthSession, AuthSession.id == RefreshToken.session_id)
        .join(User, User.id == AuthSession.user_id)
        .where(RefreshToken.id == identifier)
    ).one_or_none()


def _end_if_reused(
    identifier: UUID,
    found: _Found,
    ip: str,
) -> None:
    used = select(RefreshToken.used_at).where(RefreshToken.id == identifier)
    if db.session.execute(used).scalar_one() is None:
        return  # expired, or its session ended otherwise
    if revoke(found.session_id, reason="refresh_reused"):
        emit(
            SecurityAlert(
                user_id=found.user_id,
                email=found.email,
                kind="refresh_reused",
                session_id=found.session_id,
                ip=ip,
            )
        )


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
    """End every session of somebody, except ``but``, and every log-in of theirs that is half done."""
    tickets.void(user_id)  # first: one being redeemed now is waited for, and its session ended below
    statement = update(AuthSession).where(AuthSession.user_id == user_id, AuthSession.revoked_at.is_(None))
    if but is not None:
        statement = statement.where(AuthSession.id != but)
    db.session.execute(statement.values(revoked_at=utcnow(), revoked_for=reason))


def _issue(session_id: UUID, now: datetime, last: Lifetimes, *, until: datetime) -> tuple[str, datetime]:
    identifier = uuid7()
    text, secret_hash = opaque.make(identifier, kind=_REFRESH)
    expires_at = min(now + last.idle, until)
    db.insert(
        RefreshToken(id=identifier, session_id=session_id, secret_hash=secret_hash, expires_at=expires_at)
    )
    return text, expires_at
