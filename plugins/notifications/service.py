"""What may be done to an inbox. Every reader and writer sees the caller's own rows alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import IntegrityError, NotFound, Select, db, delete, func, principal, select, update, utcnow

from .models import KEY_LENGTH, TITLE_LENGTH, Notification

HISTORY = 100  # decisions, row 23: the last hundred per user


def notify(
    *, user_id: UUID, type: str, title: str, body: str, key: str, data: dict[str, Any] | None = None
) -> bool:
    """Put a notification into ``user_id``'s inbox in the organisation acted for.

    Answers ``False`` where that user was told about ``key`` already. Call it inside a unit of work
    and an organisation's scope. A longer title is cut; raises ``ValueError`` for a key over 200 characters.
    """
    if len(key) > KEY_LENGTH:
        raise ValueError(f"a notification's key has at most {KEY_LENGTH} characters")
    known = select(Notification.id).where(Notification.user_id == user_id, Notification.key == key)
    if db.session.scalar(known) is not None:
        return False
    row = Notification(user_id=user_id, type=type, title=_short(title), body=body, data=data or {}, key=key)
    try:
        with db.session.begin_nested():
            db.insert(row)
    except IntegrityError:
        if db.session.scalar(known) is None:  # not a race for the key: the user is gone, say
            raise
        return False
    _forget_the_oldest(user_id)
    return True


def mine() -> Select[Notification]:
    """The caller's own notifications in the organisation acted for."""
    return select(Notification).where(Notification.user_id == principal().user_id)


def unread_count() -> int:
    """How many of them have not been read."""
    unread = mine().where(Notification.read_at.is_(None)).subquery()
    return db.session.scalar(select(func.count()).select_from(unread)) or 0


def mark_read(id: UUID) -> Notification:
    """Mark one as read; the first reading's time stays. Raises ``NotFound``."""
    row: Notification | None = db.session.scalar(mine().where(Notification.id == id))
    if row is None:
        raise NotFound
    row.read_at = row.read_at or utcnow()
    return row


def mark_all_read() -> int:
    """Mark all as read; answers how many were not."""
    unread = update(Notification).where(
        Notification.user_id == principal().user_id, Notification.read_at.is_(None)
    )
    return len(db.session.scalars(unread.values(read_at=utcnow()).returning(Notification.id)).all())


def remove(id: UUID) -> None:
    """Delete one. Raises ``NotFound``."""
    own = delete(Notification).where(Notification.user_id == principal().user_id, Notification.id == id)
    if db.session.scalar(own.returning(Notification.id)) is None:
        raise NotFound


def clear() -> None:
    """Delete all."""
    db.session.execute(delete(Notification).where(Notification.user_id == principal().user_id))


def _forget_the_oldest(user_id: UUID) -> None:
    own = select(Notification.id).where(Notification.user_id == user_id)
    beyond = own.order_by(Notification.created_at.desc(), Notification.id.desc()).offset(HISTORY)
    if old := db.session.scalars(beyond).all():
        db.session.execute(delete(Notification).where(Notification.id.in_(old)))


def _short(title: str) -> str:
    return title if len(title) <= TITLE_LENGTH else title[: TITLE_LENGTH - 1] + "…"
