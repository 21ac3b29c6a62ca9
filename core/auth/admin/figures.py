"""Counts of people, for those who run the instance."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import selectinload

from core.auth.models import AuthSession
from core.auth.state import auth
from core.clock import utcnow
from core.db import db
from core.users import ROLES, User, UserRole

_DAYS = 30
_LATEST = 5


def stats() -> dict[str, Any]:
    """How many people there are, of which standing and role, and how many came of late.

    ``byPlan`` is empty while no plugin knows plans.
    """
    counts = _counts()
    return {
        **counts,
        "by_role": _by_role(counts["total"]),
        "by_plan": {},
        "growth": {
            "last_24_hours": _since(timedelta(days=1)),
            "last_7_days": _since(timedelta(days=7)),
            "last_30_days": _since(timedelta(days=_DAYS)),
            "daily": _daily(),
        },
    }


def dashboard() -> dict[str, Any]:
    """What an admin looks at first: people, organisations, sessions, and who came last."""
    now = utcnow()
    kinds = auth().organisations.figures()
    alive = AuthSession.revoked_at.is_(None) & (AuthSession.expires_at > now)
    recently = AuthSession.created_at > now - timedelta(days=1)
    newest = select(User).where(User.deleted_at.is_(None)).order_by(User.created_at.desc(), User.id.desc())
    return {
        "users": stats(),
        "organisations": {"total": sum(kinds.values()), "by_kind": kinds},
        "sessions": {
            "active": db.session.execute(select(func.count()).where(alive)).scalar_one(),
            "begun_last_24_hours": db.session.execute(select(func.count()).where(recently)).scalar_one(),
        },
        "latest": db.session.scalars(newest.options(selectinload(User.granted)).limit(_LATEST)).all(),
    }


def _counts() -> dict[str, int]:
    def those(criterion: Any) -> Any:
        return func.coalesce(func.sum(case((criterion, 1), else_=0)), 0)

    there = User.deleted_at.is_(None)
    row = db.session.execute(
        select(
            those(there).label("total"),
            those(there & (User.status == "active")).label("active"),
            those(there & (User.status == "suspended")).label("suspended"),
            those(there & User.verified_at.is_not(None)).label("verified"),
            those(there & User.verified_at.is_(None)).label("unverified"),
            those(User.deleted_at.is_not(None)).label("deleted"),
        )
    ).one()
    return dict(row._mapping)


def _by_role(total: int) -> dict[str, int]:
    counted = (
        select(UserRole.role, func.count())
        .join(User, User.id == UserRole.user_id)
        .where(User.deleted_at.is_(None))
        .group_by(UserRole.role)
    )
    held = {role: int(count) for role, count in db.session.execute(counted).all()}
    return {**dict.fromkeys(ROLES, 0), **held, "user": total}


def _since(span: timedelta) -> int:
    return db.session.execute(select(func.count()).where(User.created_at > utcnow() - span)).scalar_one()


def _daily() -> list[dict[str, Any]]:
    """Accounts made on each of the last days (UTC), days without any included."""
    today = utcnow().date()
    first = today - timedelta(days=_DAYS - 1)
    day = func.date(User.created_at)
    counted = (
        select(day, func.count()).where(User.created_at > utcnow() - timedelta(days=_DAYS)).group_by(day)
    )
    made = {str(on): count for on, count in db.session.execute(counted).all()}
    days = (str(first + timedelta(days=n)) for n in range(_DAYS))
    return [{"date": on, "count": made.get(on, 0)} for on in days]
