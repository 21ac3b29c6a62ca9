"""From an advert as told to a posting as kept: cleaned, bounded, in one vocabulary."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from .api import PERIODS, TYPES, Advert, Provider, Skipped
from .text import excerpt, fold, plain, sanitise, web_address, words

_TYPE_WORDS = (  # the first that is found counts: "full time internship" is an internship
    ("internship", r"intern(ship)?s?|praktikum|stage|stagiaire|working student|werkstudent"),
    ("temporary", r"temp(orary)?|seasonal|fixed[ -_]?term"),
    ("contract", r"contract(or)?|freelanc(e|er)|b2b"),
    ("part_time", r"part[ _-]?time|teilzeit"),
    ("full_time", r"full[ _-]?time|permanent|regular|vollzeit"),
    ("volunteer", r"volunteer(ing)?"),
)
_TYPE_PATTERNS = [(name, re.compile(rf"\b(?:{words})\b", re.IGNORECASE)) for name, words in _TYPE_WORDS]
_REMOTE = re.compile(
    r"\b(remote(ly)?|anywhere|worldwide|home[ -]?office|work from home|wfh|telecommut\w*)\b", re.IGNORECASE
)
_NOT_REMOTE = re.compile(r"\b(no|not|non)[ -]remote\b", re.IGNORECASE)
_LEGAL_FORMS = {
    *("ab", "ag", "bv", "co", "corp", "corporation", "gmbh", "inc", "incorporated", "kg", "limited"),
    *("llc", "llp", "ltd", "nv", "oy", "plc", "sa", "sarl", "se", "srl"),
}
_GENDERS = re.compile(r"\((?:[mwfdxi](?:\s*[/|,]\s*|\b)){2,}[^)]*\)|\ball genders\b", re.IGNORECASE)
_A_YEAR = {"year": 1, "month": 12, "week": 52, "day": 260, "hour": 2080}
_LARGEST = 2_000_000_000  # fits a 32-bit column
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


def normalise(advert: Advert, provider: Provider, now: datetime) -> dict[str, Any] | Skipped:
    """The columns of a posting, or why there can be none."""
    external_id = plain(advert.external_id, 201)
    if not external_id or len(external_id) > 200:
        return Skipped("no id" if not external_id else "id longer than 200 characters", external_id[:40])
    title = plain(advert.title, 300)
    if not title:
        return Skipped("no title", external_id)
    url = web_address(advert.url)
    if url is None:
        return Skipped("no usable address", external_id)
    company, location = plain(advert.company, 200), plain(advert.location, 200)
    tags = _lines(advert.tags, 30, 60)
    description = sanitise(advert.html)
    remote = advert.remote if advert.remote is not None else _is_remote(location, title)
    return {
        "source": provider.name,
        "external_id": external_id,
        "title": title,
        "company": company,
        "location": location,
        "remote": remote,
        "type": employment_type(advert.type) or employment_type(title),
        **salary(advert),
        "description": description,
        "excerpt": excerpt(description, 300),
        "tags": tags,
        "requirements": _lines(advert.requirements, 50, 500),
        "benefits": _lines(advert.benefits, 50, 500),
        "source_url": url,
        "apply_url": web_address(advert.apply_url),
        "attribution": provider.attribution.replace("{company}", company or provider.label)[:300],
        "posted_at": _between(advert.posted_at, _OLDEST, now + timedelta(days=1)),
        "expires_at": _between(advert.expires_at, _OLDEST, now + timedelta(days=3660)),
        "fingerprint": fingerprint(company, title, "" if remote else location),
        "search_text": fold(" ".join((title, company, location, *tags)))[:3000],
        "location_key": fold(location)[:200],
        "company_key": fold(company)[:200],
    }


def employment_type(told: str | None) -> str | None:
    """One of ``TYPES`` for what a source calls it, or ``None``."""
    if not told:
        return None
    if told in TYPES:
        return told
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", told[:500])  # FullTime
    return next((name for name, pattern in _TYPE_PATTERNS if pattern.search(spaced)), None)


def salary(advert: Advert) -> dict[str, Any]:
    """The salary's columns; all ``None`` where nothing usable is told.

    A year has 2,080 hours, 260 days, 52 weeks or 12 months.
    """
    low, high = _amount(advert.salary_min, math.floor), _amount(advert.salary_max, math.ceil)
    if low is not None and high is not None and high < low:
        low, high = high, low
    known = low is not None or high is not None
    period = advert.salary_period if advert.salary_period in PERIODS else "year"
    currency = (advert.salary_currency or "").strip().upper()
    return {
        "salary_min": low,
        "salary_max": high,
        "salary_currency": currency if known and re.fullmatch("[A-Z]{3}", currency) else None,
        "salary_period": period if known else None,
        "salary_year_min": _in_a_year(low if low is not None else high, period),
        "salary_year_max": _in_a_year(high if high is not None else low, period),
    }


def fingerprint(company: str, title: str, place: str) -> str:
    """Equal for one job told by two sources: 32 hex digits over company, title and place, spelling aside."""
    who = [word for word in words(company) if word not in _LEGAL_FORMS]
    where = words(place.split(",")[0])
    key = "\n".join(" ".join(part) for part in (who, words(_GENDERS.sub(" ", title)), where))
    return sha256(key.encode()).hexdigest()[:32]


def digest(columns: dict[str, Any]) -> str:
    """Changes when what a source tells changes: 32 hex digits."""
    told = "\x1f".join(f"{name}={columns[name]}" for name in sorted(columns))
    return sha256(told.encode()).hexdigest()[:32]


def _is_remote(location: str, title: str) -> bool:
    return any(_REMOTE.search(told) and not _NOT_REMOTE.search(told) for told in (location, title))


def _amount(told: object, whole: Any) -> int | None:
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        return None
    return int(whole(told)) if 0 < told <= _LARGEST else None


def _in_a_year(amount: int | None, period: str) -> int | None:
    if amount is None or amount * _A_YEAR[period] > _LARGEST:
        return None
    return amount * _A_YEAR[period]


def _between(told: datetime | None, first: datetime, last: datetime) -> datetime | None:
    return told.astimezone(UTC) if told is not None and first <= told <= last else None


def _lines(told: tuple[str, ...], most: int, limit: int) -> list[str]:
    return [line for line in dict.fromkeys(plain(item, limit) for item in told[: most * 2]) if line][:most]
