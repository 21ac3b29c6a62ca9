"""Forgetting what is over in signing in: jobs of core, by the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import delete, or_, select

from core.clock import utcnow
from core.db import begin, db
from core.engine import register_job, register_schedule

from . import rotation
from .codes import WINDOW
from .models import AuthSession, Code, LoginTicket, RefreshToken
from .state import auth

KEPT = timedelta(days=1)
"""How long a session that ended is kept, so that a copied refresh token of it is still recognised."""

_CHUNK = 1000


def codes() -> dict[str, int]:
    """Delete codes that have expired, once they no longer count against their address's hour."""
    now = utcnow()
    over = select(Code.id).where(Code.expires_at < now, Code.created_at < now - WINDOW)
    return {"codes": _clear(Code, over)}


def tickets() -> dict[str, int]:
    """Delete tickets of log-ins whose second step is over, or was never done."""
    return {"tickets": _clear(LoginTicket, select(LoginTicket.id).where(LoginTicket.expires_at < utcnow()))}


def sessions() -> dict[str, int]:
    """Delete sessions a day after they ended or became unusable, and refresh tokens that expired.

    A used token stays until it would have expired: until then whoever brings it is found out.
    """
    now = utcnow()
    ended = select(AuthSession.id).where(
        or_(
            AuthSession.revoked_at < now - KEPT,
            AuthSession.expires_at < now - KEPT,
            AuthSession.last_used_at < now - auth().longest_idle - KEPT,
        )
    )
    expired = select(RefreshToken.id).where(RefreshToken.expires_at < now)
    # a session takes its tokens along, so they go first: a chunk then is as long as it says
    return {"refresh_tokens": _clear(RefreshToken, expired), "sessions": _clear(AuthSession, ended)}


def register(app: Flask) -> None:
    """Have the jobs run: codes, tickets and keys at night, sessions every six hours, all by UTC."""
    for name, job, cron in (
        ("forget_codes", codes, "0 0 * * *"),
        ("forget_tickets", tickets, "10 0 * * *"),
        ("forget_keys", rotation.tidy, "5 0 * * *"),
        ("forget_sessions", sessions, "0 */6 * * *"),
    ):
        register_job(app, "core", name, job, timeout=600)
        register_schedule(app, "core", name, job=f"core.{name}", cron=cron, policy="once")


def _clear(model: Any, over: Any) -> int:
    """Delete what ``over`` chooses, a transaction a chunk, so that nobody waits long."""
    gone, count = 0, _CHUNK
    while count == _CHUNK:
        with begin():
            statement = delete(model).where(model.id.in_(over.limit(_CHUNK))).returning(model.id)
            count = len(db.session.execute(statement.execution_options(synchronize_session=False)).all())
        gone += count
    return gone
