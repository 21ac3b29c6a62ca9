"""When a cron line fires, on the clock of its time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter


def check_cron(cron: str, tz: str) -> None:
    """Raise ``ValueError`` with a sentence about it when ``cron`` (five fields) or ``tz`` cannot be."""
    if len(cron.split()) != 5 or not croniter.is_valid(cron):
        raise ValueError(f"{cron!r} is no cron line of five fields")
    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"there is no time zone {tz!r}") from error


def next_after(cron: str, tz: str, moment: datetime) -> datetime:
    """The first firing after ``moment``, in UTC."""
    local = moment.astimezone(ZoneInfo(tz))
    return croniter(cron, local).get_next(datetime).astimezone(UTC)  # type: ignore[no-any-return]


def last_before(cron: str, tz: str, moment: datetime) -> datetime:
    """The last firing at or before ``moment``, in UTC."""
    local = (moment + timedelta(microseconds=1)).astimezone(ZoneInfo(tz))
    return croniter(cron, local).get_prev(datetime).astimezone(UTC)  # type: ignore[no-any-return]
