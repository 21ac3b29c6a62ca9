"""The record of what was sent, so that a mail handed over once is not handed over again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.api import Select, and_, begin, db, delete, get_logger, or_, select, update, utcnow

from .models import STATUSES, MailInbound, MailMessage

log = get_logger(__name__)

KEPT_FOR = timedelta(days=30)
GIVEN_UP_AFTER = timedelta(days=1)
"""The engine tries for about eight hours; what waits longer is dead."""


def sent(key: UUID) -> bool:
    """Whether the mail was handed over already."""
    with begin(write=False):
        row = db.session.get(MailMessage, key)
        return row is not None and row.sent_at is not None


def enter(key: UUID, template: str, to: str, organisation: UUID | None) -> None:
    """Note that the mail is about to be sent; one that had failed waits again."""
    with begin() as unit:
        db.session.execute(
            unit.upsert(MailMessage)
            .values(id=key, template=template, recipient=hint(to), organisation_id=organisation)
            .on_conflict_do_update(
                index_elements=[MailMessage.id],
                set_={"status": "queued"},
                where=and_(MailMessage.sent_at.is_(None), MailMessage.status.in_(("failed", "suppressed"))),
            )
        )


def note(key: UUID, status: str, **known: Any) -> None:
    """Note one attempt. ``known`` are columns of the row: transport, source, reference, reason.

    Never raises: a mail that is out must not go out again because the note could not be made.
    """
    try:
        with begin():
            _note(key, status, known)
    except Exception as fault:
        log.error("mail not recorded", key=str(key), error=type(fault).__name__)


def _note(key: UUID, status: str, known: dict[str, Any]) -> None:
    row = db.session.get(MailMessage, key, with_for_update=True)  # a vendor may tell of it at this moment
    if row is None:
        return
    row.attempts += status != "suppressed"
    if status == "sent":
        row.sent_at = utcnow()
    elif status != "suppressed":
        row.failed_at = utcnow()
    for name, value in known.items():
        setattr(row, name, value[:500] if isinstance(value, str) else value)
    advance(row, status)


def advance(row: MailMessage, status: str) -> bool:
    """Take ``row`` on to ``status``, never back; answers whether that changed anything."""
    if STATUSES.index(status) <= STATUSES.index(row.status):
        return False
    row.status = status
    return True


def find(key: UUID | None, provider: str, reference: str | None) -> MailMessage | None:
    """The mail called ``key``, else the one ``provider`` called ``reference``; locked where that can be."""
    found = select(MailMessage).with_for_update()
    row: MailMessage | None = None
    if key is not None:
        row = db.session.scalar(found.where(MailMessage.id == key))
    if row is None and reference:
        known = (MailMessage.transport == provider, MailMessage.reference == reference)
        row = db.session.scalars(found.where(*known).order_by(MailMessage.id).limit(1)).first()
    return row


def listed() -> Select[MailMessage]:
    """All mails of the last thirty days."""
    return select(MailMessage)


def hint(address: str) -> str:
    """Enough of an address to recognise one's own: ``a***@example.com``."""
    local, at, domain = address.rpartition("@")
    found = f"{local[:1]}***{at}{domain}"[:254]
    return found if at and found.isprintable() else "***"


def latest() -> dict[str, Any]:
    """``last_success`` and ``last_failure`` (times or ``None``) and the failure's ``reason``."""
    with begin(write=False):
        success = db.session.scalar(
            select(MailMessage.sent_at)
            .where(MailMessage.sent_at.is_not(None))
            .order_by(MailMessage.sent_at.desc())
            .limit(1)
        )
        failure = db.session.execute(
            select(MailMessage.failed_at, MailMessage.reason)
            .where(MailMessage.failed_at.is_not(None))
            .order_by(MailMessage.failed_at.desc())
            .limit(1)
        ).first()
    failed_at, reason = failure or (None, None)
    return {"last_success": success, "last_failure": failed_at, "reason": reason}


def prune() -> int:
    """Forget mails and tidings older than ``KEPT_FOR``; answers how many mails. What nobody tries any
    more has failed."""
    now = utcnow()
    with begin():
        waiting = (MailMessage.status == "queued", MailMessage.created_at < now - GIVEN_UP_AFTER)
        stale = or_(MailMessage.failed_at.is_(None), MailMessage.failed_at < now - GIVEN_UP_AFTER)
        db.session.execute(update(MailMessage).where(*waiting, stale).values(status="failed"))
        db.session.execute(delete(MailInbound).where(MailInbound.created_at < now - KEPT_FOR))
        old = delete(MailMessage).where(MailMessage.created_at < now - KEPT_FOR)
        return len(db.session.scalars(old.returning(MailMessage.id)).all())
