"""What the audit log looks like on the wire."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any
from uuid import UUID

from core.api import FilterSchema, Schema, Select, fields, select, validate

from . import service

CHAINS = ("organisation", "instance")


class EntryOut(Schema):
    """What happened: ``actor`` did ``action`` to a target.

    ``actor`` is ``user:<id>``, ``system`` or ``anonymous``. ``seq`` counts within the chain; ``hash``
    is over ``previous`` and the row.
    """

    id = fields.UUID(required=True)
    seq = fields.Integer(required=True)
    action = fields.String(required=True)
    actor = fields.String(required=True)
    target_type = fields.String(required=True)
    target_id = fields.String(required=True, allow_none=True)
    ip = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    data = fields.Function(lambda entry: json.loads(entry.data), metadata={"type": "object"})
    occurred_at = fields.DateTime(required=True)
    recorded_at = fields.DateTime(attribute="created_at", required=True)
    event_id = fields.UUID(required=True)
    previous = fields.String(required=True)
    hash = fields.String(required=True)


class OwnEntryOut(Schema):
    """What happened to oneself or was done by oneself. ``ip`` and ``requestId`` are null where somebody
    else did it: they are theirs."""

    id = fields.UUID(required=True)
    chain = fields.String(required=True, validate=validate.OneOf(CHAINS))
    action = fields.String(required=True)
    actor = fields.String(required=True)
    target_type = fields.String(required=True)
    target_id = fields.String(required=True, allow_none=True)
    ip = fields.String(required=True, allow_none=True)
    request_id = fields.String(required=True, allow_none=True)
    data = fields.Dict(required=True)
    occurred_at = fields.DateTime(required=True)


class OwnPage(Schema):
    """A page of them, the newest first."""

    items = fields.List(fields.Nested(OwnEntryOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class OwnQuery(Schema):
    """Which page: ``cursor`` is ``nextCursor`` of the page before."""

    limit = fields.Integer(load_default=20, validate=validate.Range(1, 100))
    cursor = fields.UUID(load_default=None)


class ChainQuery(Schema):
    """Which chain: as for the list."""

    chain = fields.String(load_default=None, validate=validate.OneOf(CHAINS))


class ExportQuery(ChainQuery):
    """What to export: rows behind number ``after``, from ``from`` on and before ``to``."""

    format = fields.String(load_default="jsonl", validate=validate.OneOf(["jsonl", "csv"]))
    after = fields.Integer(load_default=0, validate=validate.Range(0, 2**31 - 1))
    from_ = fields.DateTime(data_key="from", load_default=None)
    to = fields.DateTime(load_default=None)


class BrokenOut(Schema):
    """The first row that does not fit.

    ``fault``: missing, changed, reordered, rewritten, cut_off or end_changed.
    """

    seq = fields.Integer(required=True)
    entry = fields.UUID(required=True, allow_none=True)
    fault = fields.String(required=True)
    detail = fields.String(required=True)


class ReportOut(Schema):
    """Whether a chain holds: ``entries`` rows do, and ``hash`` is that of the last one."""

    chain = fields.String(required=True)
    ok = fields.Boolean(required=True)
    entries = fields.Integer(required=True)
    hash = fields.String(required=True)
    broken = fields.Nested(BrokenOut, required=True, allow_none=True)


class EntryFilter(FilterSchema):
    """Which rows. ``chain`` is the organisation's acted for, or the instance's for who may see it.

    Without ``chain`` it is the instance's for who may see it and named no organisation by ``X-Org``.
    ``actor`` takes ``user:<id>`` or the id alone; ``from`` is included, ``to`` is not.
    """

    chain = fields.String(validate=validate.OneOf(CHAINS))
    actor = fields.String(validate=validate.Length(1, 100))
    action = fields.List(fields.String(validate=validate.Length(1, 100)), metadata={"op": "in"})
    target = fields.String(validate=validate.Length(1, 100), metadata={"column": "target_id"})
    target_type = fields.String(validate=validate.Length(1, 64))
    from_ = fields.DateTime(data_key="from", metadata={"column": "occurred_at", "op": "ge"})
    to = fields.DateTime(metadata={"column": "occurred_at", "op": "lt"})

    def apply(self, statement: Select[Any], values: dict[str, Any]) -> Select[Any]:
        """The chain that is asked for, if any. Raises ``Forbidden`` for the instance's."""
        if "actor" in values:
            with suppress(ValueError):
                values["actor"] = f"user:{UUID(values['actor'])}"
        return select(service.chosen(values.pop("chain"))) if "chain" in values else statement
