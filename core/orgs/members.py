"""Members: what they are in the organisation acted for, and leaving it.

Whoever changes members of one organisation waits for the others who do, so that two owners who
leave at once cannot leave it without one.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import joinedload

from core.context import organisation_id
from core.db import db
from core.engine import emit
from core.errors import Conflict, Forbidden, NotFound
from core.users import User

from .events import InvitationWithdrawn, MemberAdded, MemberRemoved, MemberRoleChanged, OwnershipTransferred
from .models import Invitation, Member, Organisation
from .state import orgs

_KEEPERS = ("owner", "admin")


def listed() -> Select[Member]:
    """Everybody who belongs to it, with their person."""
    return select(Member).options(joinedload(Member.user))


def locked() -> Organisation:
    """The organisation acted for, its members kept from changing until the open unit of work ends.

    Who writes other rows of it does not wait.
    """
    statement = select(Organisation).where(Organisation.id == organisation_id())
    statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    row = db.session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def add(user_id: UUID, role: str) -> None:
    """Let somebody belong to it. Raises ``Conflict`` for who does already. Call it under ``locked``."""
    if role_of(user_id) is not None:
        raise Conflict("You belong to this organisation already.", code="already_member")
    db.insert(Member(user_id=user_id, role=role))
    emit(MemberAdded(user_id=user_id, role=role), order_key=f"member:{user_id}")
    orgs().memberships.forget_once_committed()


def _standing(user_id: UUID) -> str | None:
    """Somebody's status, which nobody changes until the open unit of work ends.

    Call it before ``locked``: who deletes a person locks the person before their organisations.
    """
    return db.session.execute(
        select(User.status).where(User.id == user_id).with_for_update(read=True)
    ).scalar_one_or_none()


def change(user_id: UUID, role: str, *, by: UUID) -> Member:
    """Give somebody another role.

    Raises ``NotFound`` for who is no member, ``Forbidden`` where ``by`` may not (owners are made and
    changed by owners), ``Conflict`` for the last owner, a second one of a personal organisation, and
    somebody suspended who would be an owner.
    """
    standing = _standing(user_id) if role == "owner" else "active"
    organisation = locked()
    mine, member = role_of(by), _member(user_id)
    if mine not in _KEEPERS or (mine != "owner" and "owner" in (member.role, role)):
        raise Forbidden("Only an owner changes owners.", code="owners_only")
    if member.role != role:
        if role == "owner":
            not_personal(organisation, "A personal organisation has one owner, its person.")
            _not_suspended(standing)
        elif member.role == "owner":
            _keep_an_owner(user_id)
        _set(member, role)
    return member


def remove(user_id: UUID, *, by: UUID, keeper: bool) -> None:
    """End somebody's membership; everybody may end their own. ``keeper`` may end those of others.

    Raises as ``change`` does.
    """
    locked()
    member = _member(user_id) if keeper or user_id == by else None
    if member is None:
        raise Forbidden("You may only leave yourself.")
    if user_id != by:
        mine = role_of(by)
        if mine not in _KEEPERS or (mine != "owner" and member.role == "owner"):
            raise Forbidden("Only an owner removes owners.", code="owners_only")
    if member.role == "owner":
        _keep_an_owner(user_id)
    role = member.role
    db.session.expunge(member)
    db.session.execute(
        delete(Member).where(Member.user_id == user_id).execution_options(synchronize_session=False)
    )
    _withdraw_invitations_by(user_id)
    left = user_id == by
    emit(MemberRemoved(user_id=user_id, role=role, left=left), order_key=f"member:{user_id}")
    orgs().memberships.forget_once_committed()


def transfer(user_id: UUID, *, by: UUID) -> Member:
    """Make another member the owner in place of ``by``, who stays as an admin.

    Raises ``NotFound`` for who is no member, ``Forbidden`` where ``by`` is no owner (any more),
    ``Conflict`` for a personal organisation, oneself, or somebody who is suspended.
    """
    standing = _standing(user_id)
    organisation = locked()
    not_personal(organisation, "A personal organisation is its person's alone.")
    still(by, "owner")
    member = _member(user_id)
    if user_id == by:
        raise Conflict("You own it already.", code="already_owner")
    _not_suspended(standing)
    _set(member, "owner")
    _set(_member(by), "admin")
    emit(OwnershipTransferred(user_id=user_id, before=by))
    return member


def _not_suspended(standing: str | None) -> None:
    if standing != "active":
        raise Conflict("This person is suspended.", code="account_suspended")


def role_of(user_id: UUID) -> str | None:
    """What somebody is in it, read afresh."""
    return db.session.execute(select(Member.role).where(Member.user_id == user_id)).scalar_one_or_none()


def still(by: UUID, *roles: str) -> None:
    """Raise ``Forbidden`` unless ``by`` has one of ``roles`` right now, whatever a process remembers."""
    if role_of(by) not in roles:
        raise Forbidden


def not_personal(organisation: Organisation, why: str) -> None:
    """Raise ``Conflict`` for a personal organisation."""
    if organisation.kind == "personal":
        raise Conflict(why, code="personal_organisation")


def _member(user_id: UUID) -> Member:
    row = db.session.scalars(listed().where(Member.user_id == user_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def _set(member: Member, role: str) -> None:
    before, member.role = member.role, role
    db.session.flush()
    if before in _KEEPERS and role not in _KEEPERS:
        _withdraw_invitations_by(member.user_id)
    event = MemberRoleChanged(user_id=member.user_id, role=role, before=before)
    emit(event, order_key=f"member:{member.user_id}")
    orgs().memberships.forget_once_committed()


def _keep_an_owner(losing: UUID) -> None:
    """Raise ``Conflict`` unless somebody who can sign in owns it beside ``losing``."""
    other = (
        select(Member.id)
        .join(User, User.id == Member.user_id)
        .where(Member.role == "owner", Member.user_id != losing, User.status == "active")
        .limit(1)
    )
    if db.session.execute(other).scalar_one_or_none() is None:
        raise Conflict("It would be left without an owner; make another one first.", code="last_owner")


def withdraw_those(*which: ColumnElement[bool]) -> int:
    """Void those invitations among ``which`` that nobody has taken yet; how many that were."""
    gone = db.session.execute(
        delete(Invitation)
        .where(*which, Invitation.accepted_at.is_(None))
        .returning(Invitation.id, Invitation.email)
        .execution_options(synchronize_session=False)
    ).all()
    for row in gone:
        emit(InvitationWithdrawn(invitation_id=row.id, email=row.email))
    return len(gone)


def _withdraw_invitations_by(user_id: UUID) -> None:
    """Whoever may invite no more leaves no way in behind."""
    withdraw_those(Invitation.invited_by == user_id)
