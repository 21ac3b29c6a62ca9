"""Where postings come from: what the providers offer, joined with how each feed has done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.api import call_hook, db, get_logger, select, utcnow

from .api import Feed, Provider
from .models import SourceHealth

log = get_logger(__name__)

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)


@dataclass(frozen=True)
class Source:
    """One feed of one provider. ``name`` is its id in URLs, ``remoteok`` or ``greenhouse-acme``."""

    provider: Provider
    feed: Feed

    @property
    def name(self) -> str:
        key = re.sub(r"[^A-Za-z0-9_.]+", "-", self.feed.key).strip("-")[:79]
        return f"{self.provider.name}-{key}" if key else self.provider.name


def providers() -> dict[str, Provider]:
    """Every provider offered through the ``job_sources`` hook, by name."""
    found: dict[str, Provider] = {}
    for plugin, offered in call_hook("job_sources"):
        for provider in offered if isinstance(offered, list | tuple) else [offered]:
            if not isinstance(provider, Provider) or not _NAME.fullmatch(provider.name):
                log.error("this is no provider of postings", offered_by=plugin, value=repr(provider)[:200])
            elif provider.name in found:
                log.error("a provider's name is taken", offered_by=plugin, provider=provider.name)
            else:
                found[provider.name] = provider
    return found


def sources() -> dict[str, Source]:
    """Every feed that is to be fetched, by name."""
    every = (Source(provider, feed) for provider in providers().values() for feed in provider.feeds)
    return {source.name: source for source in every}


def health() -> dict[str, SourceHealth]:
    """What is known of feeds that have been asked, by name."""
    return {row.name: row for row in db.session.scalars(select(SourceHealth))}


def health_of(source: Source) -> SourceHealth:
    """The row of one feed, made where there is none yet."""
    row = db.session.scalar(select(SourceHealth).where(SourceHealth.name == source.name))
    if row is None:
        row = SourceHealth(name=source.name, provider=source.provider.name)
        row.url, row.failures, row.runs = "", 0, 0
        row.created_count = row.updated_count = row.skipped_count = 0
        db.session.add(row)
    if row.url != source.feed.url:  # what another address said of freshness means nothing here
        row.url, row.etag, row.last_modified, row.next_attempt_at = source.feed.url, None, None, None
    return row


def is_due(row: SourceHealth | None, source: Source, now: datetime | None = None) -> bool:
    """Whether a feed may be asked again: not before it said, nor more often than its terms allow."""
    if row is None or row.url != source.feed.url:
        return True
    now = now or utcnow()
    if row.next_attempt_at is not None and now < row.next_attempt_at:
        return False
    # The clock of the schedule is not exact: a minute early is on time.
    soonest = row.last_ok_at + source.provider.every - timedelta(minutes=1) if row.last_ok_at else None
    return soonest is None or now >= soonest


def note_success(row: SourceHealth) -> None:
    """The feed answered well."""
    row.last_ok_at, row.failures, row.next_attempt_at = utcnow(), 0, None
    row.runs += 1


def note_failure(row: SourceHealth, reason: str, after: timedelta | None) -> timedelta:
    """The feed failed, and may be asked again in ``after``, or by doubling pauses; gives the pause."""
    row.failures += 1
    row.last_error, row.last_error_at = reason[:500], utcnow()
    pause = after or min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(row.failures - 1, 10))
    row.next_attempt_at = row.last_error_at + pause
    return pause


def listed() -> list[dict[str, Any]]:
    """Every feed with its health, by name; shown whole to admins, without errors and addresses to others."""
    known = health()
    return [described(source, known.get(name)) for name, source in sorted(sources().items())]


def described(source: Source, row: SourceHealth | None) -> dict[str, Any]:
    """One feed as ``SourceOut`` and ``AdminSourceOut`` show it."""
    status = "new" if row is None or row.last_attempt_at is None else "failing" if row.failures else "ok"
    columns = () if row is None else SourceHealth.__table__.columns.keys()
    known = {name: getattr(row, name) for name in columns}
    return {
        **dict.fromkeys(("failures", "runs", "created_count", "updated_count", "skipped_count"), 0),
        **known,
        "id": source.name,
        "provider": source.provider.name,
        "label": source.provider.label + (f": {source.feed.key}" if source.feed.key else ""),
        "home": source.provider.home,
        "attribution": source.provider.attribution.replace("{company}", source.feed.key),
        "url": source.feed.url,
        "status": status,
    }
