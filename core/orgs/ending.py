"""The end of an organisation: announced, called off, and in the end carried out by a job."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Table, and_, delete, exists, inspect, or_, select
from sqlalchemy.orm import aliased

from core.auth import auth
from core.clock import utcnow
from core.db import acting_for, begin, current_unit, db, metadata, tenant_tables, unscoped
from core.engine import emit, forget_organisation
from core.errors import Conflict, NotFound
from core.log import get_logger
from core.users import User

from .events import MemberRemoved, OrganisationDeleted, OrganisationDeletionScheduled, OrganisationRestored
from .members import locked, not_personal, still, withdraw_those
from .models import Invitation, Member, Organisation
from .state import orgs

log = get_logger(__name__)

_WHY = "an organisation that ends takes its rows along"
_CHUNK = 1_000
_REMEMBERED = timedelta(days=30)


def schedule(*, by: UUID) -> Organisation:
    """Have the organisation acted for go when the grace is over; nobody can join it any more.

    Announcing it again changes nothing. Raises ``Forbidden`` where ``by`` is no owner (any more),
    ``Conflict`` for a personal one and for the home.
    """
    row = locked()
    still(by, "owner")
    not_personal(row, "A personal organisation goes with its person.")
    if row.kind == "home":
        raise Conflict("The home of the instance stays.", code="home_organisation")
    if row.deletes_at is None:
        row.deletes_at = utcnow() + auth().config.auth.deletion_grace
        withdraw_those()
        emit(OrganisationDeletionScheduled(name=row.name, deletes_at=row.deletes_at))
    return row


def restore() -> Organisation:
    """Keep it after all. Nothing happens to one that was to stay.

    Raises ``NotFound`` once its time has come.
    """
    row = locked()
    if row.deletes_at is not None:
        if row.deletes_at <= utcnow():
            raise NotFound
        row.deletes_at = None
        emit(OrganisationRestored(name=row.name))
    return row


def purge() -> dict[str, int]:
    """``core.purge_organisations``: delete those whose time has come; idempotent by their ids.

    Nobody acts for them any more by then, so that theirs can go in several transactions. Invitations
    that have been over for a month go too.
    """
    with begin(write=False):
        due = db.session.scalars(select(Organisation.id).where(Organisation.deletes_at <= utcnow())).all()
    ended = [identifier for identifier in due if _is_over(identifier)]
    for identifier in ended:
        erase(identifier)
    with begin(), unscoped("addresses of invitations that are over are kept by nobody"):
        over = delete(Invitation).where(Invitation.expires_at < utcnow() - _REMEMBERED)
        db.session.execute(over.execution_options(synchronize_session=False))
    return {"deleted": len(ended)}


def _is_over(identifier: UUID) -> bool:
    """Whether its time has come for good: whoever keeps it at this moment is waited for, nobody can later."""
    with begin(), unscoped(_WHY):
        held = select(Organisation.id).where(
            Organisation.id == identifier, Organisation.deletes_at <= utcnow()
        )
        return db.session.execute(held.with_for_update()).scalar_one_or_none() is not None


def erase(identifier: UUID) -> None:
    """Delete an organisation and every row of it, whichever plugin's it is.

    Large tables go in chunks, so that nobody waits long; what is left (tables of plugins that do
    not run here) goes by the foreign key. Inside an open transaction that writes it is one with it.
    """
    unit = current_unit()
    if unit is None or not unit.begun:
        _in_chunks(identifier)
        with begin():
            _finish(identifier)
    else:
        _finish(identifier)


def release(user_id: UUID) -> None:
    """Raise ``Conflict`` where somebody who is to be deleted is the last owner of what others use too.

    Until the open unit of work ends nobody else leaves those organisations.
    """
    with unscoped("who goes must not leave organisations without an owner"):
        owned = db.session.scalars(
            select(Organisation.id)
            .join(Member, Member.organisation_id == Organisation.id)
            .where(Member.user_id == user_id, Member.role == "owner", Organisation.kind == "team")
            .order_by(Organisation.id)
            .with_for_update(of=Organisation, key_share=True)
        ).all()
        others = db.session.execute(
            select(Member.organisation_id, Member.role)
            .join(User, User.id == Member.user_id)
            .where(Member.organisation_id.in_(owned), Member.user_id != user_id, User.status == "active")
        ).all()
    used, kept = (
        {row.organisation_id for row in others},
        {row.organisation_id for row in others if row.role == "owner"},
    )
    if used - kept:
        raise Conflict(
            "This person is the last owner of organisations that others belong to.",
            code="last_owner",
            errors={"organisations": sorted(map(str, used - kept))},
        )


def bury(user_id: UUID) -> None:
    """Delete what somebody leaves to nobody: their personal organisation, and those they are alone in.

    What they share with others they leave.
    """
    other = aliased(Member)
    with begin(write=False), unscoped(_WHY):
        theirs = db.session.scalars(
            select(Organisation.id)
            .join(Member, Member.organisation_id == Organisation.id)
            .where(
                Member.user_id == user_id,
                Member.role == "owner",
                or_(
                    and_(Organisation.kind == "personal", Organisation.created_by == user_id),
                    and_(
                        Organisation.kind == "team",
                        ~exists().where(other.organisation_id == Organisation.id, other.user_id != user_id),
                    ),
                ),
            )
        ).all()
    for identifier in theirs:
        erase(identifier)
    with begin(), unscoped(_WHY):
        _leave_everywhere(user_id)


def _leave_everywhere(user_id: UUID) -> None:
    """Whoever is gone belongs to nothing: said in each organisation, which the foreign key would not."""
    ended = delete(Member).where(Member.user_id == user_id).returning(Member.organisation_id, Member.role)
    left = db.session.execute(ended.execution_options(synchronize_session=False)).all()
    for organisation, role in left:
        with acting_for(organisation):
            emit(MemberRemoved(user_id=user_id, role=role, left=False), order_key=f"member:{user_id}")


def _in_chunks(identifier: UUID) -> None:
    for table in _tables_there():
        some = select(table.c.id).where(table.c.organisation_id == identifier).limit(_CHUNK)
        count = _CHUNK
        while count == _CHUNK:
            with begin() as unit, unscoped(_WHY):
                count = unit.connection.execute(delete(table).where(table.c.id.in_(some))).rowcount


def _tables_there() -> list[Table]:
    """Tables of organisations' rows, those that others point at last.

    Only those in the database: a plugin may be imported while its migration is still pending. A table
    with ``info={"outlives_organisation": True}`` keeps its rows.
    """
    with begin(write=False) as unit:
        there = set(inspect(unit.connection).get_table_names())
    return [
        table
        for table in reversed(metadata.sorted_tables)
        if table.name in tenant_tables & there and not table.info.get("outlives_organisation")
    ]


def _finish(identifier: UUID) -> None:
    with unscoped(_WHY):
        gone = db.session.execute(
            delete(Organisation)
            .where(Organisation.id == identifier)
            .returning(Organisation.name, Organisation.slug)
            .execution_options(synchronize_session=False)
        ).one_or_none()
        if gone is None:
            return
        forget_organisation(identifier)
        emit(OrganisationDeleted(organisation_id=identifier, name=gone.name, slug=gone.slug))
    orgs().memberships.forget_once_committed()
    log.info("organisation deleted", organisation=str(identifier))
