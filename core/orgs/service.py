"""Organisations: making them, finding one's own, and the one that is home."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from core.db import acting_for, begin, current_unit, db, unscoped
from core.engine import emit
from core.errors import Conflict
from core.users import UserInfo, find_user

from .events import MemberAdded, OrganisationCreated, OrganisationUpdated
from .members import locked
from .models import Member, Organisation
from .state import alive, named, orgs

HOME = "home"
_HOME = "the home organisation is everybody's"
_OWN = "one's own memberships are read across organisations"


@dataclass(frozen=True)
class OrganisationInfo:
    """What plugins may know of an organisation; ``kind`` is ``personal``, ``team`` or ``home``."""

    id: UUID
    name: str
    slug: str
    kind: str


def create(*, name: str, slug: str | None, user_id: UUID, kind: str = "team") -> Organisation:
    """Add an organisation that ``user_id`` owns. Raises ``Conflict`` for a slug that is taken."""
    row = Organisation(name=name, slug=slug or _slug(name), kind=kind, created_by=user_id)
    with unscoped("a new organisation stands beside the one acted for"):
        try:
            with db.session.begin_nested():
                db.insert(row)
        except IntegrityError:
            raise _taken() from None
        with acting_for(row.id):
            db.insert(Member(user_id=user_id, role="owner"))
            emit(OrganisationCreated(name=row.name, slug=row.slug, kind=row.kind, user_id=user_id))
    orgs().memberships.forget_once_committed()
    return row


def edit(changes: dict[str, Any]) -> Organisation:
    """Change what ``changes`` names of the organisation acted for; branding is merged, ``None`` takes away.

    Raises ``Conflict`` for a slug that is taken, and for another slug of the home.
    """
    row = locked()
    if "branding" in changes:
        merged = {**row.branding, **changes["branding"]}
        changes = {**changes, "branding": {key: value for key, value in merged.items() if value is not None}}
    changed = sorted(key for key, value in changes.items() if getattr(row, key) != value)
    if "slug" in changed and row.kind == "home":
        raise Conflict("The home of the instance is called home.", code="home_organisation")
    try:
        with db.session.begin_nested():
            for key in changed:
                setattr(row, key, changes[key])
            db.session.flush()
    except IntegrityError:
        raise _taken() from None
    if changed:
        emit(OrganisationUpdated(fields=changed))
        orgs().memberships.forget_once_committed()
    return row


def _taken() -> Conflict:
    return Conflict("This slug is taken.", errors={"slug": ["This slug is taken."]})


def welcome(user: UserInfo) -> None:
    """Give somebody new their personal organisation, in the open unit of work."""
    # no part of the address in it: slugs are shown to others
    create(name=user.name or "Personal", slug=f"p-{secrets.token_hex(6)}", user_id=user.id, kind="personal")


def crown(user: UserInfo) -> None:
    """Let the first admin own the home organisation, in the open unit of work."""
    with unscoped("the first admin comes from outside"), acting_for(ensure_home()):
        held = db.session.execute(select(Member.id).where(Member.user_id == user.id)).scalar_one_or_none()
        if held is None:
            db.insert(Member(user_id=user.id, role="owner"))
            emit(MemberAdded(user_id=user.id, role="owner"), order_key=f"member:{user.id}")
    orgs().memberships.forget_once_committed()


def ensure_home() -> UUID:
    """The id of the home organisation, which is made in the open unit of work where it is missing."""
    found = home()
    if found is None:
        with unscoped(_HOME):
            db.session.execute(
                db.unit.upsert(Organisation)
                .values(name="Home", slug=HOME, kind="home")
                .on_conflict_do_nothing()
            )
        found = home()
    if found is None:
        raise RuntimeError("the home organisation could not be made: its slug belongs to another one")
    return found


def home() -> UUID | None:
    """The id of the home organisation, if it has been made."""
    with unscoped(_HOME):
        found = select(Organisation.id).where(Organisation.kind == "home")
        return db.session.execute(found).scalar_one_or_none()


def mine(user_id: UUID) -> Select[Organisation]:
    """The organisations somebody belongs to."""
    with unscoped(_OWN):
        ids = db.session.scalars(select(Member.organisation_id).where(Member.user_id == user_id)).all()
    return select(Organisation).where(Organisation.id.in_(ids), alive())


def listed(user_id: UUID) -> list[dict[str, Any]]:
    """Somebody's organisations with their role in each, the oldest first."""
    with unscoped(_OWN):
        rows = db.session.execute(
            select(Organisation.id, Organisation.name, Organisation.slug, Organisation.kind, Member.role)
            .join(Member, Member.organisation_id == Organisation.id)
            .where(Member.user_id == user_id, alive())
            .order_by(Organisation.created_at, Organisation.id)
        ).all()
    return [dict(row._mapping) for row in rows]


def find_organisation(which: str) -> OrganisationInfo | None:
    """An organisation by id or slug, or ``None``. Joins the open unit of work, or reads in one of its own."""
    if current_unit() is None:
        with begin(write=False):
            return find_organisation(which)
    row = db.session.execute(
        select(Organisation.id, Organisation.name, Organisation.slug, Organisation.kind).where(named(which))
    ).one_or_none()
    return None if row is None else OrganisationInfo(*row)


def organisation_owners(organisation_id: UUID) -> list[UserInfo]:
    """Who owns an organisation and may sign in, the longest-standing first; nobody where there is none.

    Joins the open unit of work, or reads in one of its own.
    """
    if current_unit() is None:
        with begin(write=False):
            return organisation_owners(organisation_id)
    with unscoped("owners are told of what becomes of theirs, whoever asks"):
        ids = db.session.scalars(
            select(Member.user_id)
            .where(Member.organisation_id == organisation_id, Member.role == "owner")
            .order_by(Member.created_at, Member.id)
        ).all()
    found = (find_user(user_id) for user_id in ids)
    return [user for user in found if user is not None and user.status == "active"]


def default(user_id: UUID) -> UUID | None:
    """What a new session acts for: the personal organisation, else the oldest one belongs to."""
    rows = listed(user_id)
    personal = [row["id"] for row in rows if row["kind"] == "personal"]
    return next(iter(personal or [row["id"] for row in rows]), None)


def figures() -> dict[str, int]:
    """How many organisations of each kind there are."""
    kinds = select(Organisation.kind, func.count()).group_by(Organisation.kind)
    return {kind: int(count) for kind, count in db.session.execute(kinds).all()}


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "org"
    return f"{words}-{secrets.token_hex(3)}"
