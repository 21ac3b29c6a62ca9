"""One meaning of "matches": as SQL for searching, as a predicate for alerts.

``text_condition`` is the one place where words meet SQL, and ``_has_words`` its twin; a full-text
index replaces both without anybody else noticing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from core.api import and_, or_, utcnow

from .models import Posting
from .text import fold


@dataclass(frozen=True)
class Filters:
    """What somebody looks for; a field left at its default asks nothing.

    Every word of ``query`` stands in title, company, location or tags, every word of ``location``
    in the location; one of ``companies`` in the company's name. Salaries are a year's, in whole
    units of whatever currency the advert names.
    """

    query: str = ""
    location: str = ""
    type: tuple[str, ...] = ()
    remote: bool | None = None
    salary_min: int | None = None
    salary_max: int | None = None
    companies: tuple[str, ...] = ()
    source: str = ""
    posted_within: timedelta | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Filters:
        """Filters as an alert keeps them."""
        known = {name: value for name, value in stored.items() if name in cls.__dataclass_fields__}
        return cls(
            **{name: tuple(value) if isinstance(value, list) else value for name, value in known.items()}
        )

    def as_json(self) -> dict[str, Any]:
        """What ``from_json`` reads: only the fields that ask something."""
        asked = {name: value for name, value in asdict(self).items() if value not in (None, "", ())}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asked.items()}


def conditions(wanted: Filters, now: datetime | None = None) -> Any:
    """The SQL condition on ``Posting``: what ``wanted`` asks, open, and no duplicate of another source's."""
    now = now or utcnow()
    asked = [Posting.duplicate_of.is_(None), or_(Posting.expires_at.is_(None), Posting.expires_at > now)]
    asked += text_condition(wanted.query)
    asked += [Posting.location_key.contains(word, autoescape=True) for word in fold(wanted.location).split()]
    if wanted.companies:
        asked.append(or_(*(Posting.company_key.contains(fold(c), autoescape=True) for c in wanted.companies)))
    if wanted.type:
        asked.append(Posting.type.in_(wanted.type))
    if wanted.remote is not None:
        asked.append(Posting.remote.is_(wanted.remote))
    if wanted.salary_min is not None:
        asked.append(Posting.salary_year_max >= wanted.salary_min)
    if wanted.salary_max is not None:
        asked.append(Posting.salary_year_min <= wanted.salary_max)
    if wanted.source:
        asked.append(Posting.source == wanted.source)
    if wanted.posted_within is not None:
        asked.append(Posting.posted_at >= now - wanted.posted_within)
    return and_(*asked)


def text_condition(query: str) -> list[Any]:
    """Conditions that every word of ``query`` stands in a posting's texts."""
    return [Posting.search_text.contains(word, autoescape=True) for word in fold(query).split()]


def matches(wanted: Filters, posting: Posting, now: datetime | None = None) -> bool:
    """Whether ``conditions(wanted)`` would let ``posting`` through, without asking the database."""
    now = now or utcnow()
    return (
        posting.duplicate_of is None
        and (posting.expires_at is None or posting.expires_at > now)
        and _has_words(posting.search_text, wanted.query)
        and _has_words(posting.location_key, wanted.location)
        and (not wanted.companies or any(fold(c) in posting.company_key for c in wanted.companies))
        and (not wanted.type or posting.type in wanted.type)
        and (wanted.remote is None or posting.remote is wanted.remote)
        and (wanted.salary_min is None or (posting.salary_year_max or 0) >= wanted.salary_min)
        and (wanted.salary_max is None or 0 < (posting.salary_year_min or 0) <= wanted.salary_max)
        and (not wanted.source or posting.source == wanted.source)
        and (wanted.posted_within is None or posting.posted_at >= now - wanted.posted_within)
    )


def _has_words(folded: str, asked: str) -> bool:
    return all(word in folded for word in fold(asked).split())
