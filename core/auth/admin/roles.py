"""Roles of the instance: those that come with it, and those that admins make of permissions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from flask import current_app
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError

from core.access import permissions
from core.auth.state import auth
from core.db import begin, db
from core.engine import emit
from core.errors import Conflict, Invalid, NotFound
from core.users import ROLES, Role, User, UserRole

from . import rank
from .events import RoleChanged, RoleDeleted

BUILT_IN: Mapping[str, str] = {
    "superadmin": "May do everything, on the whole instance.",
    "admin": "Sees and changes people and plugins of the instance.",
    "developer": "Builds on the instance.",
    "author": "Writes what the instance publishes.",
    "provider": "Offers services on the instance.",
    "support": "Helps the people of the instance.",
    "user": "Everybody who is signed in.",
}
FRESH_FOR = 5.0  # seconds a process may go on believing in what a role holds


@dataclass
class CustomRoles:
    """What the roles hold that admins made, asked of the database at most every five seconds."""

    _read_at: float | None = None
    _known: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def granted(self, roles: frozenset[str]) -> frozenset[str]:
        """The permissions of those among ``roles`` that were made; built-in ones cost nothing here."""
        made = [role for role in roles if role not in BUILT_IN and ":" not in role]
        if not made:
            return frozenset()
        now = time.monotonic()
        if self._read_at is None or now - self._read_at >= FRESH_FOR:
            with begin(write=False):
                rows = db.session.execute(select(Role.name, Role.permissions)).all()
            self._known = {name: frozenset(held) for name, held in rows}
            self._read_at = now
        return frozenset().union(*(self._known.get(role, frozenset()) for role in made))

    def forget(self) -> None:
        """Ask afresh next time."""
        self._read_at = None


def known(name: str) -> bool:
    """Whether somebody can be given the role ``name``; it is not deleted before they have it."""
    if name in ROLES:
        return True
    found = select(Role.id).where(Role.name == name).with_for_update(read=True)
    return db.session.execute(found).scalar_one_or_none() is not None


def every() -> list[dict[str, Any]]:
    """All roles with what they hold and how many people hold them, built-in ones first."""
    counted = select(UserRole.role, func.count()).group_by(UserRole.role)
    holders = {role: int(count) for role, count in db.session.execute(counted).all()}
    holders["user"] = db.session.execute(
        select(func.count()).select_from(User).where(User.deleted_at.is_(None))
    ).scalar_one()
    built_in = [
        {
            "id": name,
            "name": name,
            "summary": summary,
            "permissions": sorted(permissions().held_by(frozenset({name}))),
            "built_in": True,
        }
        for name, summary in BUILT_IN.items()
    ]
    made = [shown(row) for row in db.session.scalars(select(Role).order_by(Role.name))]
    return [{**role, "holders": holders.get(str(role["name"]), 0)} for role in (*built_in, *made)]


def shown(row: Role) -> dict[str, Any]:
    """A role that was made, as it is answered."""
    return {
        "id": str(row.id),
        "name": row.name,
        "summary": row.summary,
        "permissions": sorted(row.permissions),
        "built_in": False,
    }


def create(*, name: str, summary: str, permissions: list[str]) -> Role:
    """Make a role. Raises ``Conflict`` for a name that is taken, else as ``change`` does."""
    held = _checked(permissions)
    if name in BUILT_IN:
        raise _taken()
    try:
        with db.session.begin_nested():
            row = db.insert(Role(name=name, summary=summary, permissions=held))
    except IntegrityError:
        raise _taken() from None
    _tell(row, created=True)
    return row


def change(which: str, values: dict[str, Any]) -> Role:
    """Change a role that was made: its summary, its permissions.

    Raises ``NotFound``; ``Conflict`` for a built-in one; ``Invalid`` for a permission there is not
    or one that roles in an organisation give; ``Forbidden`` for what the caller does not hold.
    """
    row = _made(which)
    rank.reach_permissions(name for name in row.permissions if name in permissions())
    if "permissions" in values:
        row.permissions = _checked(values["permissions"])
    row.summary = values.get("summary", row.summary)
    _tell(row, created=False)
    return row


def remove(which: str) -> None:
    """Delete a role and take it from everybody. Raises as ``change`` does."""
    row = _made(which)
    rank.reach_permissions(name for name in row.permissions if name in permissions())
    taken = delete(UserRole).where(UserRole.role == row.name)
    db.session.execute(taken.execution_options(synchronize_session=False))
    db.session.delete(row)
    auth().standings.forget_once_committed()
    db.unit.after_commit.append(_custom().forget)
    emit(RoleDeleted(role=row.name))


def _taken() -> Conflict:
    return Conflict("There is such a role.", errors={"name": ["There is such a role."]})


def _made(which: str) -> Role:
    if which in BUILT_IN:
        raise Conflict("This role comes with the instance and stays as it is.", code="built_in")
    try:
        named = Role.id == UUID(which)
    except ValueError:
        named = Role.name == which
    row = db.session.scalars(select(Role).where(named).with_for_update()).one_or_none()
    if row is None:
        raise NotFound
    return row


def _checked(names: Iterable[str]) -> list[str]:
    wanted, registry = sorted(set(names)), permissions()
    faults = []
    for name in wanted:
        if name not in registry:
            faults.append(f"There is no permission {name}.")
        elif any(role.startswith("org:") for role in registry[name].roles):
            faults.append(f"{name} is given by roles in an organisation alone.")
    if faults:
        raise Invalid(errors={"permissions": faults})
    rank.reach_permissions(wanted)
    return wanted


def _tell(row: Role, *, created: bool) -> None:
    db.unit.after_commit.append(_custom().forget)
    emit(RoleChanged(role=row.name, permissions=list(row.permissions), created=created))


def _custom() -> CustomRoles:
    return cast(CustomRoles, current_app.extensions["jobstead.roles"])
