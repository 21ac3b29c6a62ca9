"""Tickets: what somebody holds between the first and the second step of a log-in.

A ticket is good for one log-in, five minutes and five tries, each counted before anything is compared.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update

from core.clock import utcnow
from core.db import begin, db, uuid7

from . import opaque
from .models import LoginTicket

LIFETIME = timedelta(minutes=5)
ATTEMPTS = 5
_KIND = "lt"


def issue(user_id: UUID, *, amr: list[str]) -> tuple[str, datetime]:
    """A ticket for somebody who has shown ``amr``, in the open unit of work; and until when it holds."""
    identifier, expires_at = uuid7(), utcnow() + LIFETIME
    text, secret_hash = opaque.make(identifier, kind=_KIND)
    db.insert(
        LoginTicket(id=identifier, user_id=user_id, secret_hash=secret_hash, amr=amr, expires_at=expires_at)
    )
    return text, expires_at


def count_attempt(text: str) -> UUID | None:
    """Whose ticket this is, one try the less; ``None`` where it does not hold.

    A unit of work of its own, committed on return: neither a refusal nor a crash gives the try back.
    """
    given = opaque.read(text, kind=_KIND)
    if given is None:
        return None
    with begin():
        return db.session.execute(
            update(LoginTicket)
            .where(*_holds(given), LoginTicket.attempts < ATTEMPTS)
            .values(attempts=LoginTicket.attempts + 1)
            .returning(LoginTicket.user_id)
            .execution_options(synchronize_session=False)
        ).scalar_one_or_none()


def holder(text: str) -> UUID | None:
    """Whose ticket this is, in the open unit of work; nothing is counted or used up."""
    given = opaque.read(text, kind=_KIND)
    if given is None:
        return None
    return db.session.execute(select(LoginTicket.user_id).where(*_holds(given))).scalar_one_or_none()


def take(text: str) -> list[str] | None:
    """Use a ticket up, in the open unit of work: the methods of its first step.

    One atomic statement: of many callers one is served, the others get ``None``. So does who brings
    a ticket that was not tried before: its try was not counted.
    """
    given = opaque.read(text, kind=_KIND)
    if given is None:
        return None
    return db.session.execute(
        update(LoginTicket)
        .where(*_holds(given), LoginTicket.attempts > 0)
        .values(used_at=utcnow())
        .returning(LoginTicket.amr)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()


def void(user_id: UUID) -> None:
    """Make every ticket of somebody worthless, in the open unit of work."""
    db.session.execute(
        delete(LoginTicket).where(LoginTicket.user_id == user_id).execution_options(synchronize_session=False)
    )


def _holds(given: opaque.Opaque) -> tuple[ColumnElement[bool], ...]:
    return (
        LoginTicket.id == given.id,
        LoginTicket.secret_hash == given.secret_hash,
        LoginTicket.used_at.is_(None),
        LoginTicket.expires_at > utcnow(),
    )
