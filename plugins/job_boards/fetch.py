"""Asking one feed: politely, within bounds, and with everything it answers kept on its health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core.api import OutgoingError, Retry, begin, get_logger, http_client, retry_after, utcnow

from . import sources
from .api import FeedError
from .ingest import Progress, ingest
from .sources import Source

log = get_logger(__name__)

MOST_BYTES = 10_000_000  # of an answer; the largest real one seen had 680,000
_TIMEOUT = timedelta(seconds=30)
_LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True)
class Answer:
    """What a feed said; ``body`` is ``None`` where nothing is new."""

    body: bytes | None
    etag: str | None
    last_modified: str | None


class Refused(Exception):
    """The feed answered with an error; ``after`` is how long it wants to be left alone, if it said."""

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after


def refresh(
    source: Source, *, run_key: str | None = None, force: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """Fetch ``source`` and store what is new; ``force`` asks even where it is not due.

    Raises ``Retry`` at the time the feed named, or after doubling pauses. Opens its own
    transactions: nothing is locked while the feed takes its time.
    """
    with begin():
        row = sources.health_of(source)
        if not force and not sources.is_due(row, source):
            return {"status": "not_due"}
        row.last_attempt_at = utcnow()
        known = Answer(None, row.etag, row.last_modified)
    try:
        answer = ask(source.feed.url, known)
        if answer.body is None:
            _note(source, answer, {})
            return {"status": "not_modified"}
        result = ingest(
            source.provider,
            source.name,
            source.provider.read(answer.body, source.feed),
            run_key=run_key,
            progress=progress,
        )
    except (FeedError, OutgoingError, Refused) as fault:
        reason = (
            f"The feed could not be fetched: {fault}." if isinstance(fault, OutgoingError) else str(fault)
        )
        raise Retry(_note_failure(source, reason, getattr(fault, "after", None)), reason) from fault
    _note(source, answer, result.counts)
    return {"status": "ok", "ingestId": str(result.id), **result.counts}


def ask(url: str, known: Answer) -> Answer:
    """GET ``url``, only if it changed since ``known``. Raises ``Refused`` or ``OutgoingError``."""
    headers = {"Accept": "application/json"}
    if known.etag:
        headers["If-None-Match"] = known.etag
    if known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    with http_client(timeout=_TIMEOUT.total_seconds(), max_bytes=MOST_BYTES) as client:
        response = client.get(url, headers=headers)
    if response.status_code == 304:
        return known
    if response.status_code != 200:
        raise Refused(
            _told(response), retry_after(response.headers.get("Retry-After"), utcnow(), most=_LONGEST_WAIT)
        )
    return Answer(response.content, _short(response, "ETag", 300), _short(response, "Last-Modified", 100))


def _told(response: Any) -> str:
    if response.is_redirect:
        return f"The feed answered {response.status_code} and moved; set its new address in the settings."
    if response.status_code == 429:
        return "The feed answered 429: it was asked too often."
    return f"The feed answered {response.status_code} {response.reason_phrase}".rstrip() + "."


def _short(response: Any, header: str, limit: int) -> str | None:
    told = response.headers.get(header)
    return told if told and len(told) <= limit else None


def _note(source: Source, answer: Answer, counts: dict[str, int]) -> None:
    with begin():
        row = sources.health_of(source)
        sources.note_success(row)
        row.etag, row.last_modified = answer.etag, answer.last_modified
        for name in ("created", "updated", "skipped"):
            setattr(row, f"{name}_count", getattr(row, f"{name}_count") + counts.get(name, 0))


def _note_failure(source: Source, reason: str, after: timedelta | None) -> timedelta:
    with begin():
        pause = sources.note_failure(sources.health_of(source), reason, after)
    log.warning("a feed failed", source=source.name, reason=reason, seconds=pause.total_seconds())
    return pause
