"""What a provider of postings is made of: the door of this plugin for other plugins.

A plugin that brings a provider requires ``job_boards`` and implements ``job_sources``::

    from core.api import hookimpl
    from plugins.job_boards.api import Advert, Feed, Provider, read_each, read_json

    @hookimpl
    def job_sources():
        return [Provider("acme", "Acme Jobs", "https://acme.example", "Jobs by Acme", read, (Feed(URL),))]

A provider says where its feeds are and reads their answers; fetching, retrying, cleaning,
deduplicating and storing are done here, alike for all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

TYPES = ("full_time", "part_time", "contract", "temporary", "internship", "volunteer", "other")
"""Kinds of employment a posting may name."""

PERIODS = ("year", "month", "week", "day", "hour")
"""What a salary is paid for."""


class FeedError(Exception):
    """An answer that holds no postings to be read; the message is one sentence for the operator."""


@dataclass(frozen=True)
class Feed:
    """One address to fetch. ``key`` tells the feeds of a provider apart (a board's token)."""

    url: str
    key: str = ""


@dataclass(frozen=True)
class Advert:
    """A posting as its source tells it. Nothing here is trusted: it is cleaned and bounded later.

    ``external_id`` is unique within the provider and stays the same between fetches. ``html`` may be
    any HTML. Salaries are whole units of ``salary_currency`` (ISO 4217), as an advert says them, for
    one ``salary_period``. ``remote`` and ``type`` are left ``None`` where the source does not say; they
    are then guessed from the texts.
    """

    external_id: str
    title: str
    company: str
    url: str
    location: str = ""
    html: str = ""
    type: str | None = None
    remote: bool | None = None
    salary_min: float | None = None
    salary_max: float | None = None
    salary_currency: str | None = None
    salary_period: str | None = None
    posted_at: datetime | None = None
    expires_at: datetime | None = None
    apply_url: str | None = None
    tags: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    benefits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A record that was left out, and why."""

    reason: str
    external_id: str = ""


Reading = Iterable[Advert | Skipped]


@dataclass(frozen=True)
class Provider:
    """One vendor: where its feeds are, whom to thank, and how an answer is read.

    ``read(body, feed)`` yields adverts, and ``Skipped`` for records it cannot use; it raises
    ``FeedError`` for an answer that is not one. ``feeds`` is empty where the operator switched the
    provider off: files can still be read. ``every`` is the least time between two fetches.
    """

    name: str
    label: str
    home: str
    attribution: str
    read: Callable[[bytes, Feed], Reading]
    feeds: tuple[Feed, ...] = ()
    every: timedelta = field(default=timedelta(hours=1))


def read_json(body: bytes) -> Any:
    """The JSON document in ``body``. Raises ``FeedError`` that tells HTML and a cut-off answer apart."""
    start = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise FeedError("The answer is empty.")
    if start.startswith(b"<"):
        raise FeedError("The answer is HTML, not JSON.")
    try:
        return json.loads(body.decode("utf-8-sig"))
    except json.JSONDecodeError as fault:
        whole = fault.pos < len(fault.doc.rstrip()) - 1 and not fault.msg.startswith("Unterminated")
        what = "is not valid JSON" if whole else "breaks off before its JSON ends"
        raise FeedError(f"The answer {what} (line {fault.lineno}, column {fault.colno}).") from None
    except UnicodeDecodeError as fault:
        raise FeedError(f"The answer is not UTF-8 (byte {fault.start}).") from None
    except (ValueError, RecursionError):
        raise FeedError("The answer is JSON too deep or too large to read.") from None


def read_each(
    records: Iterable[Any], read_one: Callable[[Mapping[str, Any]], Advert]
) -> Iterator[Advert | Skipped]:
    """Read records one by one; one that is odd is skipped and does not spoil the rest."""
    for record in records:
        if not isinstance(record, Mapping):
            yield Skipped(f"a record is {type(record).__name__}, not an object")
            continue
        try:
            yield read_one(record)
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as fault:
            yield Skipped(f"not readable: {type(fault).__name__}: {fault}"[:200], text(record.get("id")))


def text(value: object) -> str:
    """A text or number as text, anything else as ``""``."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def texts(value: object) -> tuple[str, ...]:
    """The texts in a list, or none."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def moment(value: object) -> datetime | None:
    """A time told in ISO 8601 or in seconds since 1970, or ``None``; without zone it is UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and value:
            told = datetime.fromisoformat(value)
            return told if told.tzinfo else told.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
