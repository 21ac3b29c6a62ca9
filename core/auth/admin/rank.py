"""Nobody reaches above themselves: not by changing somebody mightier, nor by giving what one has not."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from core.access import may, permissions
from core.context import principal
from core.db import db
from core.errors import Conflict, Forbidden
from core.users import User, UserRole

SUPERADMIN = "superadmin"


def reach(roles: Iterable[str]) -> None:
    """Raise ``Forbidden`` unless the caller may do all that somebody with ``roles`` may.

    Asked before such a person is changed and before such a role is given.
    """
    held = frozenset(roles)
    if SUPERADMIN in held and SUPERADMIN not in principal().roles:
        raise Forbidden("Only a superadmin does this to or makes superadmins.", code="above_you")
    reach_permissions(permissions().held_by(held))


def reach_permissions(names: Iterable[str]) -> None:
    """Raise ``Forbidden`` for a permission that the caller does not hold."""
    beyond = sorted(name for name in names if not may(name))
    if beyond:
        raise Forbidden(f"You do not hold {', '.join(beyond[:5])} yourself.", code="above_you")


def keep_a_superadmin(losing: UUID) -> None:
    """Raise ``Conflict`` unless another superadmin can sign in.

    Whoever comes second waits here until the first has decided.
    """
    holders = select(UserRole.user_id).where(UserRole.role == SUPERADMIN)
    db.session.execute(holders.order_by(UserRole.user_id).with_for_update()).all()
    other = (
        holders.join(User, User.id == UserRole.user_id)
        .where(UserRole.user_id != losing, User.status == "active")
        .limit(1)
    )
    if db.session.execute(other).scalar_one_or_none() is None:
        raise Conflict("This is the last superadmin; make another one first.", code="last_superadmin")
