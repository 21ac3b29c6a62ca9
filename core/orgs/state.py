"""What this room keeps for one app: whose member is who, remembered for a moment."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy import ColumnElement, or_, select

from core.clock import utcnow
from core.db import begin, current_unit, db, unscoped

from .models import Member, Organisation

FRESH_FOR = 5.0  # seconds a process may go on believing in a membership
_REMEMBERED = 20_000
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Membership:
    """Somebody's place in one organisation."""

    organisation_id: UUID
    role: str


@dataclass
class Memberships:
    """Who may act for which organisation, asked of the database at most every five seconds each.

    Only what holds is remembered: whoever is let in is let in at once.
    """

    _seen: dict[tuple[UUID, str], tuple[float, Membership]] = field(default_factory=dict)

    def find(self, user_id: UUID, which: str) -> Membership | None:
        """Somebody's membership of the organisation with this id or slug; ``None`` where there is none."""
        now = time.monotonic()
        seen = self._seen.get((user_id, which))
        if seen is not None and now - seen[0] < FRESH_FOR:
            return seen[1]
        found = _read(user_id, which)
        if found is None:
            self._seen.pop((user_id, which), None)
            return None
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[user_id, which] = (now, found)
        return found

    def forget_once_committed(self) -> None:
        """Ask afresh for everybody, once the open unit of work is durable."""
        unit = current_unit()
        if unit is None:
            self._seen.clear()
        else:
            unit.after_commit.append(self._seen.clear)


def alive() -> ColumnElement[bool]:
    """Organisations whose end has not come."""
    return or_(Organisation.deletes_at.is_(None), Organisation.deletes_at > utcnow())


def named(which: str) -> ColumnElement[bool]:
    """The organisation with this id or slug."""
    return Organisation.id == UUID(which) if _ID.fullmatch(which) else Organisation.slug == which


def _read(user_id: UUID, which: str) -> Membership | None:
    with begin(write=False), unscoped("whether somebody is a member is asked before they act for it"):
        row = db.session.execute(
            select(Member.organisation_id, Member.role)
            .join(Organisation, Organisation.id == Member.organisation_id)
            .where(Member.user_id == user_id, named(which), alive())
        ).one_or_none()
    return None if row is None else Membership(row.organisation_id, row.role)


@dataclass
class Orgs:
    """The room's parts. ``home`` is the id of the home organisation once it is known to be stored."""

    memberships: Memberships = field(default_factory=Memberships)
    home: UUID | None = None


def orgs(app: Flask | None = None) -> Orgs:
    """The parts of ``app``, or of the running one."""
    return cast(Orgs, (app or current_app).extensions["jobstead.orgs"])
