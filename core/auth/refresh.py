"""Exchanging a refresh token: once, but for an answer that was lost on its way."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Row, exists, select, update

from core.clock import utcnow
from core.crypto import DecryptError, keyring
from core.db import begin, db
from core.engine import emit
from core.users import User
from core.web import network_of

from . import opaque
from .asking import Caller
from .events import SecurityAlert
from .models import AuthSession, RefreshToken
from .sessions import REFRESH, Issued, Lifetimes, Standings, issue, revoke

_Found = Row[str, UUID, UUID, UUID | None, list[str], datetime, str, str]


def rotate(
    token: str, *, caller: Caller, last: Lifetimes, standings: Standings, grace: timedelta
) -> Issued | None:
    """Exchange a refresh token for its successor. ``None`` where it does not hold.

    A unit of work of its own, committed on return. One atomic statement decides among callers who
    bring the same token. Who brings it again within ``grace``, with the same user agent and from the
    same network, gets that very successor, unless it has been used: a lost answer signs nobody out.
    Whoever else comes second shows that the token was copied, and the session ends.
    """
    given = opaque.read(token, kind=REFRESH)
    if given is None:
        return None
    identifier = given.id
    with begin():
        found = _find(identifier)
        if found is None or not hmac.compare_digest(found.secret_hash, given.secret_hash):
            return None
        now = utcnow()
        if not _take(identifier, now):
            again = _again(identifier, caller, since=now - grace) if found.status == "active" else None
            if again is None:
                _end_if_reused(identifier, found, caller.ip)
                standings.forget_once_committed(found.session_id)
                return None
            successor, expires_at = again
        elif found.status != "active":
            return None
        else:
            successor, expires_at = _renew(identifier, found, caller, now, last, kept=bool(grace))
        return Issued(
            found.session_id, found.user_id, found.organisation_id, list(found.amr), successor, expires_at
        )


def session_of(token: str) -> UUID | None:
    """The session a refresh token names, whether the token holds or not."""
    given = opaque.read(token, kind=REFRESH)
    if given is None:
        return None
    with begin(write=False):
        return db.session.execute(
            select(RefreshToken.session_id).where(RefreshToken.id == given.id)
        ).scalar_one_or_none()


def _take(identifier: UUID, now: datetime) -> bool:
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
    return taken is not None


def _renew(
    identifier: UUID, found: _Found, caller: Caller, now: datetime, last: Lifetimes, *, kept: bool
) -> tuple[str, datetime]:
    """A successor, noted beside its predecessor where whoever asked may ask again."""
    db.session.execute(update(AuthSession).where(AuthSession.id == found.session_id).values(last_used_at=now))
    successor, expires_at = issue(found.session_id, now, last, until=found.expires_at)
    if kept:
        sealed = keyring().encrypt(successor.encode(), aad=_bound_to(identifier, caller))
        db.session.execute(update(RefreshToken).where(RefreshToken.id == identifier).values(successor=sealed))
    return successor, expires_at


def _again(identifier: UUID, caller: Caller, *, since: datetime) -> tuple[str, datetime] | None:
    """The successor of a token used after ``since`` by this very caller, if it is still to be used."""
    used = select(RefreshToken.successor).where(
        RefreshToken.id == identifier, RefreshToken.used_at > since, RefreshToken.successor.is_not(None)
    )
    sealed = db.session.execute(used).scalar_one_or_none()
    if sealed is None:
        return None
    try:
        successor = keyring().decrypt(sealed, aad=_bound_to(identifier, caller)).decode()
    except DecryptError:
        return None
    named = opaque.read(successor, kind=REFRESH)
    unused = select(RefreshToken.expires_at).where(
        RefreshToken.id == (named and named.id),
        RefreshToken.used_at.is_(None),
        exists().where(AuthSession.id == RefreshToken.session_id, AuthSession.revoked_at.is_(None)),
    )
    expires_at = db.session.execute(unused).scalar_one_or_none()
    return None if expires_at is None else (successor, expires_at)


def _bound_to(identifier: UUID, caller: Caller) -> str:
    """Only who asks with the same user agent from the same network can read what is bound to this."""
    network = network_of(caller.ip, ipv4=24)
    return f"core_refresh_token|{identifier}|successor|{network}|{caller.user_agent}"


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
