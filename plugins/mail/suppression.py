"""Addresses that get no mail: they bounced, complained, or an admin said so."""

from __future__ import annotations

from uuid import UUID

from core.api import Conflict, Invalid, NotFound, Select, begin, db, emit, select

from .events import SuppressionAdded, SuppressionRemoved
from .message import address
from .models import REASONS, MailSuppression
from .transport import Refused


def normalised(text: str) -> str:
    """One spelling for each address. Raises ``Refused`` for what is none."""
    spelt = address(text).addr_spec.lower()
    return address(spelt).addr_spec  # a letter may become two


def blocks(recipient: str, *, security: bool) -> str | None:
    """Why ``recipient`` gets no mail, or ``None``.

    What guards an account goes out in spite of a complaint: nothing else can warn its owner or let them
    in again. Where mails bounced it would not arrive, and an admin's word holds for all of them.
    """
    with begin(write=False):
        found = select(MailSuppression.reason).where(MailSuppression.address == normalised(recipient))
        reason: str | None = db.session.scalar(found)
    return None if security and reason == "complaint" else reason


def listed() -> Select[MailSuppression]:
    """All of them."""
    return select(MailSuppression)


def add(*, address: str, detail: str | None = None) -> MailSuppression:
    """Put an address on the list by hand. Raises ``Invalid`` for what is none, ``Conflict`` for one that is
    there by hand already."""
    try:
        wanted = normalised(address)
    except Refused as fault:
        raise Invalid(errors={"address": [str(fault)]}) from None
    if not suppress(wanted, "manual", detail=detail):
        raise Conflict("This address is on the list already.", code="already_suppressed")
    return db.session.scalars(select(MailSuppression).where(MailSuppression.address == wanted)).one()


def suppress(wanted: str, reason: str, *, detail: str | None = None, provider: str | None = None) -> bool:
    """Put a normalised address on the list, in the open unit of work; answers whether that changed anything.

    The weightier reason stays, whichever comes first.
    """
    values = {"reason": reason, "detail": detail[:500] if detail else None, "provider": provider}
    lighter = REASONS[: REASONS.index(reason)]
    changed = db.session.execute(
        db.unit.upsert(MailSuppression)
        .values(address=wanted, **values)
        .on_conflict_do_update(
            index_elements=[MailSuppression.address], set_=values, where=MailSuppression.reason.in_(lighter)
        )
        .returning(MailSuppression.id)
    ).scalar_one_or_none()
    if changed is None:
        return False
    emit(SuppressionAdded(address=wanted, reason=reason, provider=provider))
    return True


def remove(id: UUID) -> None:
    """Let the address have mails again. Raises ``NotFound``."""
    row = db.session.get(MailSuppression, id)
    if row is None:
        raise NotFound
    emit(SuppressionRemoved(address=row.address, reason=row.reason))
    db.session.delete(row)
