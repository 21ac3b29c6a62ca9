"""The record of what was sent, so that a mail handed over once is not handed over again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.api import begin, db, delete, get_logger, select, utcnow

from .models import MailMessage

log = get_logger(__name__)

KEPT_FOR = timedelta(days=30)


def sent(key: UUID) -> bool:
    """Whether the mail was handed over already."""
    with begin(write=False):
        row = db.session.get(MailMessage, key)
        return row is not None and row.sent_at is not None


def record(key: UUID, template: str, transport: str, *, reason: str | None = None) -> None:
    """Note one attempt; ``reason`` says why it failed, ``None`` that it did not.

    Never raises: a mail that is out must not go out again because the note could not be made.
    """
    try:
        _write(key, template, transport, reason)
    except Exception as fault:
        log.error("mail not recorded", key=str(key), error=type(fault).__name__)


def _write(key: UUID, template: str, transport: str, reason: str | None) -> None:
    with begin():
        row = db.session.get(MailMessage, key)
        if row is None:
            row = MailMessage(id=key, template=template, attempts=0)
            db.session.add(row)
        row.transport = transport
        row.attempts += 1
        if reason is None:
            row.sent_at = utcnow()
        else:
            row.failed_at, row.reason = utcnow(), reason[:500]


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
    """Forget mails older than ``KEPT_FOR``; answers how many."""
    with begin():
        old = delete(MailMessage).where(MailMessage.created_at < utcnow() - KEPT_FOR)
        return len(db.session.scalars(old.returning(MailMessage.id)).all())
