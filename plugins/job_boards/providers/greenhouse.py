"""Greenhouse: the public board of one company, by its token.

``GET https://boards-api.greenhouse.io/v1/boards/{token}/jobs?content=true`` answers
``{"jobs": [...], "meta": {...}}`` with every open job of the board. ``content`` is HTML escaped as
text; ids are unique among all boards. Salaries come in cents, where the company shows them.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

from plugins.job_boards.api import (
    Advert,
    Feed,
    FeedError,
    Provider,
    Reading,
    moment,
    read_each,
    read_json,
    text,
)

URL = "https://boards-api.greenhouse.io/v1/boards"

_KIND_OF_EMPLOYMENT = ("employment type", "contract type", "time type", "job type", "commitment")


def provider(enabled: bool = True, url: str = URL, boards: Sequence[str] = ()) -> Provider:
    """The provider, with one feed a board where it is switched on."""
    base = url.rstrip("/")
    return Provider(
        name="greenhouse",
        label="Greenhouse",
        home="https://www.greenhouse.com",
        attribution="{company} careers, by Greenhouse",
        read=read,
        feeds=tuple(Feed(f"{base}/{quote(token, safe='')}/jobs?content=true", token) for token in boards)
        if enabled
        else (),
    )


def read(body: bytes, feed: Feed) -> Reading:
    """The postings of a board's answer. Raises ``FeedError``."""
    document = read_json(body)
    jobs = document.get("jobs") if isinstance(document, Mapping) else None
    if not isinstance(jobs, list):
        raise FeedError('The answer is no Greenhouse answer: it has no list "jobs".')
    return read_each(jobs, partial(_advert, board=feed.key))


def _advert(record: Mapping[str, Any], board: str) -> Advert:
    url = text(record.get("absolute_url"))
    place = record.get("location")
    departments = [text(d.get("name")) for d in _objects(record.get("departments"))]
    return Advert(
        external_id=text(record.get("id")),
        title=text(record.get("title")),
        company=text(record.get("company_name")) or board or _board_of(url),
        url=url,
        location=text(place.get("name")) if isinstance(place, Mapping) else "",
        html=html.unescape(text(record.get("content"))),
        type=_employment(record),
        posted_at=moment(record.get("first_published")) or moment(record.get("updated_at")),
        expires_at=moment(record.get("application_deadline")),
        tags=tuple(name for name in departments if name),
        **_salary(record),
    )


def _employment(record: Mapping[str, Any]) -> str | None:
    for entry in _objects(record.get("metadata")):
        if text(entry.get("name")).strip().lower() in _KIND_OF_EMPLOYMENT and text(entry.get("value")):
            return text(entry.get("value"))
    return None


def _salary(record: Mapping[str, Any]) -> dict[str, Any]:
    for span in _objects(record.get("pay_input_ranges")):
        low, high = span.get("min_cents"), span.get("max_cents")
        if isinstance(low, int) and isinstance(high, int):
            return {
                "salary_min": low / 100,
                "salary_max": high / 100,
                "salary_currency": text(span.get("currency_type")),
                "salary_period": "hour" if "hour" in text(span.get("title")).lower() else "year",
            }
    return {}


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _board_of(url: str) -> str:
    """The board's token in ``https://boards.greenhouse.io/{token}/jobs/{id}``; ``""`` for another page."""
    at = urlsplit(url)
    path = at.path.strip("/").split("/")
    return path[0] if len(path) > 1 and (at.hostname or "").endswith("greenhouse.io") else ""
