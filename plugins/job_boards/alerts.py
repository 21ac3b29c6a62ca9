"""Alerts: searches that somebody wants to hear of. What they find is recorded as postings come in."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import (
    Conflict,
    NotFound,
    Select,
    acting_for,
    active,
    db,
    emit,
    func,
    principal,
    select,
    timedelta,
    unscoped,
    update,
    utcnow,
)

from .events import JobAlertMatched
from .models import Alert, AlertMatch, Posting
from .search import Filters, matches

MOST = 100
"""Alerts of one person in one organisation."""

_ALERTS = "job_boards.alerts"
_LEFT_OVER = timedelta(hours=1)


# --- mine -------------------------------------------------------------------------------------------


def mine() -> Select[Alert]:
    """The caller's alerts in the organisation acted for."""
    return select(Alert).where(Alert.user_id == principal().user_id)


def get(id: UUID) -> Alert:
    """One of the caller's alerts. Raises ``NotFound``."""
    alert = db.session.scalar(mine().where(Alert.id == id))
    if alert is None:
        raise NotFound
    return alert


def add(name: str, filters: Filters, frequency: str, is_active: bool) -> Alert:
    """A new alert. Raises ``Conflict`` where the caller has too many."""
    if (db.session.scalar(select(func.count()).select_from(mine().subquery())) or 0) >= MOST:
        raise Conflict(f"{MOST} alerts are as many as one person can have.", code="too_many_alerts")
    return db.insert(
        Alert(
            user_id=principal().user_id,
            name=name,
            filters=filters.as_json(),
            frequency=frequency,
            is_active=is_active,
            last_sent_at=None,
        )
    )


def change(id: UUID, values: dict[str, Any]) -> Alert:
    """Set what ``values`` names. Raises ``NotFound``."""
    alert = get(id)
    for name, value in values.items():
        setattr(alert, name, value.as_json() if isinstance(value, Filters) else value)
    db.session.flush()
    return alert


def remove(id: UUID) -> None:
    """Delete one with its matches. Raises ``NotFound``."""
    db.session.delete(get(id))


def matched(id: UUID) -> Select[Posting]:
    """The postings that one of the caller's alerts has found. Raises ``NotFound``."""
    found = select(AlertMatch.posting_id).where(AlertMatch.alert_id == get(id).id)
    return select(Posting).where(Posting.id.in_(found))


# --- in a worker, for everybody -----------------------------------------------------------------------


def record_matches(posting_id: UUID, ingest_id: UUID) -> None:
    """Record which active alerts let a new posting through; nothing is recorded twice."""
    posting = db.session.get(Posting, posting_id)
    if posting is None:
        return
    with unscoped("a new posting is of interest to every organisation"):
        wanted = [alert for alert, filters in _active_alerts() if matches(filters, posting)]
        told = select(AlertMatch.alert_id).where(AlertMatch.posting_id == posting_id)
        known = set(db.session.scalars(told)) if wanted else set()
        for alert in wanted:
            if alert.id not in known and active("job_boards", alert.organisation_id):
                with acting_for(alert.organisation_id):
                    db.insert(
                        AlertMatch(
                            alert_id=alert.id, posting_id=posting_id, ingest_id=ingest_id, sent_at=None
                        )
                    )


def _active_alerts() -> list[tuple[Alert, Filters]]:
    """Every organisation's active alerts, read once in a unit of work: a batch holds hundreds of postings."""
    known = db.unit.info.get(_ALERTS)
    if known is None:
        rows = db.session.scalars(select(Alert).where(Alert.is_active.is_(True)))
        known = db.unit.info[_ALERTS] = [(alert, Filters.from_json(alert.filters)) for alert in rows]
    return known


def tell_of_ingest(ingest_id: UUID) -> None:
    """Tell the owners of instant alerts how many postings of this ingest they have."""
    _tell("instant", str(ingest_id), AlertMatch.ingest_id == ingest_id, ingest_id=ingest_id)


def tell_digest(frequency: str) -> int:
    """Tell the owners of ``daily`` or ``weekly`` alerts what came since; gives how many were told.

    The daily one also tells of what an instant alert found in an ingest that never came to its end.
    """
    today = utcnow().date().isoformat()
    told = _tell(frequency, today)
    if frequency == "daily":
        told += _tell("instant", today, AlertMatch.created_at < utcnow() - _LEFT_OVER)
    return told


def _tell(frequency: str, occasion: str, *which: Any, ingest_id: UUID | None = None) -> int:
    unsent = (AlertMatch.sent_at.is_(None), *which)
    with unscoped("each organisation is told of its own matches"):
        found = db.session.scalars(
            select(Alert)
            .where(Alert.frequency == frequency, Alert.is_active.is_(True))
            .where(Alert.id.in_(select(AlertMatch.alert_id).where(*unsent)))
            .order_by(Alert.id)
        ).all()
        for alert in found:
            with acting_for(alert.organisation_id):
                _tell_owner(alert, unsent, f"{alert.id}:{occasion}", ingest_id)
    return len(found)


def _tell_owner(alert: Alert, unsent: tuple[Any, ...], key: str, ingest_id: UUID | None) -> None:
    """Mark and count in one statement, so that each match is told of once whoever else is at it."""
    now, unsynced = utcnow(), {"synchronize_session": False}
    marked = update(AlertMatch).where(AlertMatch.alert_id == alert.id, *unsent).values(sent_at=now)
    count = db.session.execute(marked, execution_options=unsynced).rowcount
    if not count:
        return
    db.session.execute(
        update(Alert).where(Alert.id == alert.id).values(last_sent_at=now), execution_options=unsynced
    )
    emit(
        JobAlertMatched(alert.id, alert.user_id, alert.name, count, alert.frequency, key, ingest_id),
        order_key=str(alert.id),
    )
