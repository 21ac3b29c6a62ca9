"""Postings, sources and alerts on the wire."""

from __future__ import annotations

import re
from typing import Any

from core.api import Schema, ValidationError, fields, timedelta, validate

from .api import TYPES
from .search import Filters

FREQUENCIES = ("instant", "daily", "weekly")

_SALARY = validate.Range(0, 2_000_000_000)
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class Within(fields.String):
    """How long ago at most: ``7`` or ``7d`` (days), ``24h``, ``2w``; up to a year."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        told = re.fullmatch(
            r"([0-9]{1,4})([hdw]?)", super()._deserialize(value, attr, data, **kwargs).strip()
        )
        span = timedelta(**{_UNITS[told[2] or "d"]: int(told[1])}) if told else timedelta()
        if not timedelta() < span <= timedelta(days=366):
            raise ValidationError("Must be a time up to a year, such as 24h, 7d or 2w.")
        return span


class SalaryOut(Schema):
    """Whole units of the currency for one period, as the advert says them (no price, so no minor units)."""

    min = fields.Integer(allow_none=True)
    max = fields.Integer(allow_none=True)
    currency = fields.String(allow_none=True, metadata={"description": "ISO 4217, or null where not told."})
    period = fields.String(metadata={"description": "year, month, week, day or hour"})


class PostingSummary(Schema):
    """A posting in a list. Show ``attribution`` and link to ``sourceUrl``: sources ask for that."""

    id = fields.UUID()
    source = fields.String(metadata={"description": "The provider it comes from, such as remoteok."})
    title = fields.String()
    company = fields.String()
    location = fields.String()
    remote = fields.Boolean()
    type = fields.String(allow_none=True, metadata={"description": ", ".join(TYPES)})
    salary = fields.Nested(SalaryOut, allow_none=True)
    excerpt = fields.String(metadata={"description": "The beginning of the description, plain text."})
    tags = fields.List(fields.String())
    source_url = fields.String()
    apply_url = fields.String(allow_none=True)
    attribution = fields.String()
    posted_at = fields.DateTime(metadata={"description": "Told by the source, else when it was first seen."})
    expires_at = fields.DateTime(allow_none=True)


class PostingOut(PostingSummary):
    """A posting whole. ``description`` is sanitised HTML."""

    external_id = fields.String()
    description = fields.String()
    requirements = fields.List(fields.String())
    benefits = fields.List(fields.String())
    last_seen_at = fields.DateTime(metadata={"description": "When its source last listed it."})
    duplicate_of = fields.UUID(
        allow_none=True, metadata={"description": "The same job, from another source."}
    )
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class FiltersSchema(Schema):
    """What an alert looks for; what is left out asks nothing."""

    query = fields.String(validate=validate.Length(max=200))
    location = fields.String(validate=validate.Length(max=200))
    type = fields.List(
        fields.String(validate=validate.OneOf(TYPES)), validate=validate.Length(max=len(TYPES))
    )
    remote = fields.Boolean(allow_none=True)
    salary_min = fields.Integer(
        allow_none=True, validate=_SALARY, metadata={"description": "A year, whole units."}
    )
    salary_max = fields.Integer(allow_none=True, validate=_SALARY)
    companies = fields.List(fields.String(validate=validate.Length(1, 200)), validate=validate.Length(max=50))


class SearchQuery(Schema):
    """A search. Every word of ``query`` stands in title, company, location or tags."""

    query = fields.String(load_default="", validate=validate.Length(max=200))
    location = fields.String(load_default="", validate=validate.Length(max=200))
    type = fields.List(fields.String(validate=validate.OneOf(TYPES)), load_default=list)
    remote = fields.Boolean(load_default=None)
    salary_min = fields.Integer(load_default=None, validate=_SALARY)
    salary_max = fields.Integer(load_default=None, validate=_SALARY)
    company = fields.String(load_default="", validate=validate.Length(max=200))
    source = fields.String(load_default="", validate=validate.Length(max=40))
    posted_within = Within(load_default=None)
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100))
    cursor = fields.String(load_default=None, validate=validate.Length(max=500))
    page = fields.Integer(load_default=None, validate=validate.Range(1, 1000))


def filters_of(given: dict[str, Any]) -> Filters:
    """Filters of a loaded ``SearchQuery`` or ``FiltersSchema``; ``company`` becomes a list of one."""
    wanted = {name: value for name, value in given.items() if value is not None}
    if given.get("company"):
        wanted["companies"] = (given["company"],)
    return Filters.from_json(wanted)


class SearchOut(Schema):
    """One page of what was found. ``total`` is exact up to 1,000."""

    items = fields.List(fields.Nested(PostingSummary))
    next_cursor = fields.String(allow_none=True)
    total = fields.Integer()
    total_is_exact = fields.Boolean()


class AlertIn(Schema):
    """A new alert."""

    name = fields.String(required=True, validate=validate.Length(1, 120))
    filters = fields.Nested(FiltersSchema, load_default=dict)
    frequency = fields.String(load_default="instant", validate=validate.OneOf(FREQUENCIES))
    is_active = fields.Boolean(load_default=True)


class AlertChange(Schema):
    """What shall be different about an alert; ``filters`` replace the old ones as a whole."""

    name = fields.String(validate=validate.Length(1, 120))
    filters = fields.Nested(FiltersSchema)
    frequency = fields.String(validate=validate.OneOf(FREQUENCIES))
    is_active = fields.Boolean()


class AlertOut(Schema):
    """An alert of the caller's."""

    id = fields.UUID()
    name = fields.String()
    filters = fields.Nested(FiltersSchema)
    frequency = fields.String()
    is_active = fields.Boolean()
    last_sent_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class SourceOut(Schema):
    """Where postings come from, and whom to thank."""

    id = fields.String()
    provider = fields.String()
    label = fields.String()
    home = fields.String()
    attribution = fields.String()
    status = fields.String(metadata={"description": "new (never asked), ok or failing"})
    last_ok_at = fields.DateTime(allow_none=True, dump_default=None)


class AdminSourceOut(SourceOut):
    """A source with its address and its troubles."""

    url = fields.String()
    last_attempt_at = fields.DateTime(allow_none=True, dump_default=None)
    last_error = fields.String(allow_none=True, dump_default=None)
    last_error_at = fields.DateTime(allow_none=True, dump_default=None)
    failures = fields.Integer(metadata={"description": "In a row."})
    next_attempt_at = fields.DateTime(allow_none=True, dump_default=None)
    runs = fields.Integer(metadata={"description": "Answers that were good, unchanged ones among them."})
    created_count = fields.Integer()
    updated_count = fields.Integer()
    skipped_count = fields.Integer()


class SourcesOut(Schema):
    """All sources; there are few."""

    items = fields.List(fields.Nested(SourceOut))
    next_cursor = fields.String(allow_none=True, dump_default=None)


class AdminSourcesOut(Schema):
    """All sources, for admins."""

    items = fields.List(fields.Nested(AdminSourceOut))
    next_cursor = fields.String(allow_none=True, dump_default=None)


class RunOut(Schema):
    """A fetch that has been started."""

    task_id = fields.UUID()
    source = fields.String()
