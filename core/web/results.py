"""What a view returned, as the bytes of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow
from flask import request
from sqlalchemy import Select

from core.db import db
from core.errors import NotFound

from .filters import Comparison, FilterSchema, comparisons
from .json_provider import dump_bytes
from .narrow import LIMIT, ONE, Shape, narrow
from .paging import Position, Sorts, read_position, write_cursor
from .plan import Source, plan_of, source_of
from .schema import OneOf
from .state import web


def resource(statement: Select[Any], schema: marshmallow.Schema) -> bytes:
    """The one row of ``statement``. Raises ``NotFound`` where there is none."""
    source, values = source_of(statement, schema)
    plan = plan_of(source, ONE)
    if plan is not None:
        objects = plan.objects(plan.rows(db.unit, values))
        found: Any = objects[0] if objects else None
    else:
        _remember(source)
        row = db.session.scalars(narrow(statement, source.model, ONE)).unique().first()
        found = schema.dump(row) if row is not None else None
    if found is None:
        raise NotFound
    return dump_bytes(found)


def dumped(value: Any, schema: marshmallow.Schema | OneOf) -> bytes:
    """An object, or a list of them where the schema says ``many``. Defaults of new rows are filled first."""
    db.unit.flush()
    return dump_bytes(schema.dump(value))


def page(
    statement: Select[Any],
    schema: marshmallow.Schema,
    sorts: Sorts,
    filters: FilterSchema | None,
    query: Mapping[str, Any],
) -> bytes:
    """One page of ``statement``: ``query`` holds ``limit``, ``cursor``, ``sort`` as text and loaded filters.

    Raises ``Invalid`` for a bad limit, cursor or sort.
    """
    used: tuple[Comparison, ...] = ()
    wanted: dict[str, Any] = dict(query["filters"])
    if filters is not None and wanted:
        statement = filters.apply(statement, wanted)
        used = comparisons(filters, wanted)
    source, values = source_of(statement, schema)
    position = read_position(
        sorts, source, limit=query.get("limit"), cursor=query.get("cursor"), sort=query.get("sort")
    )
    shape = Shape(used, position.order, position.after is not None)
    added = {c.parameter: c.value(wanted[c.name]) for c in used if c.is_null is None}
    added[LIMIT] = position.limit + 1  # one more tells whether there is a next page
    added |= {f"after_{i}": value for i, value in enumerate(position.after or ())}
    plan = plan_of(source, shape)
    if plan is None:
        _remember(source)
        return _page_of_objects(narrow(statement, source.model, shape), schema, position, added)
    rows = plan.rows(db.unit, values | added)
    cursor = None
    if len(rows) > position.limit:
        rows = rows[: position.limit]
        cursor = write_cursor(position.sort, [rows[-1][index] for index in plan.place])
    return dump_bytes({"items": plan.objects(rows), "nextCursor": cursor})


def _page_of_objects(
    statement: Select[Any], schema: marshmallow.Schema, position: Position, values: dict[str, Any]
) -> bytes:
    rows = list(db.session.scalars(statement, values).unique())
    cursor = None
    if len(rows) > position.limit:
        rows = rows[: position.limit]
        cursor = write_cursor(position.sort, [getattr(rows[-1], key.attribute) for key in position.order])
    return dump_bytes({"items": schema.dump(rows, many=True), "nextCursor": cursor})


def _remember(source: Source) -> None:
    """Keep why this view takes the object path, for whoever asks ``objections``."""
    if source.objection and request.endpoint:
        web().caches.setdefault("objections", {})[request.endpoint] = source.objection


def objections() -> dict[str, str]:
    """Views that took the object path since start, by endpoint, and why: for ``jobstead doctor``."""
    return dict(web().caches.get("objections", {}))
