"""Remote OK: one public feed of the newest remote jobs.

``GET https://remoteok.com/api`` answers an array. Its first element is a legal notice, without
``id``; salaries are US dollars a year, 0 for unknown. The terms ask for a link back and for the
name as source. Texts come with UTF-8 read as Latin-1 here and there, which is mended.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

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
    texts,
)

URL = "https://remoteok.com/api"

_MISREAD = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]{1,3}")


def provider(enabled: bool = True, url: str = URL) -> Provider:
    """The provider, with its feed where it is switched on."""
    return Provider(
        name="remoteok",
        label="Remote OK",
        home="https://remoteok.com",
        attribution="Remote OK",
        read=read,
        feeds=(Feed(url),) if enabled else (),
    )


def read(body: bytes, _feed: Feed) -> Reading:
    """The postings of an answer. Raises ``FeedError``."""
    document = read_json(body)
    if not isinstance(document, list):
        raise FeedError("The answer is no Remote OK answer: it is not an array.")
    return read_each([record for record in document if not _is_notice(record)], _advert)


def _is_notice(record: object) -> bool:
    return isinstance(record, Mapping) and "id" not in record and "legal" in record


def _advert(record: Mapping[str, Any]) -> Advert:
    tags = texts(record.get("tags"))
    return Advert(
        external_id=text(record.get("id")),
        title=_mend(text(record.get("position"))),
        company=_mend(text(record.get("company"))),
        url=text(record.get("url")),
        location=_mend(text(record.get("location"))),
        html=_mend(text(record.get("description"))),
        type=" ".join(tags),
        remote=True,
        salary_min=record.get("salary_min") or None,
        salary_max=record.get("salary_max") or None,
        salary_currency="USD",
        salary_period="year",
        posted_at=moment(record.get("date")) or moment(record.get("epoch")),
        apply_url=text(record.get("apply_url")) or None,
        tags=tuple(_mend(tag) for tag in tags),
    )


def _mend(value: str) -> str:
    """Turn UTF-8 that was read as Latin-1 back, where it was."""
    return _MISREAD.sub(_as_utf8, value)


def _as_utf8(found: re.Match[str]) -> str:
    try:
        return found[0].encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return found[0]
