"""``Retry-After`` of somebody else's answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_SHORTEST = timedelta(seconds=1)


def retry_after(told: str | None, now: datetime, *, most: timedelta) -> timedelta | None:
    """How long ``told`` (seconds, or a date) asks to wait, between a second and ``most``.

    ``None`` where it says nothing that can be understood.
    """
    if not told:
        return None
    try:
        wait = timedelta(seconds=int(told)) if told.strip().isdigit() else _until(told, now)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(_SHORTEST, min(wait, most))


def _until(told: str, now: datetime) -> timedelta:
    moment = parsedate_to_datetime(told)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
