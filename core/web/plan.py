"""From a view's ``select(Model)`` and a schema to JSON, by way of plain rows.

A statement's shape (SQLAlchemy's cache key) and a schema are turned once into a plan: a Core
statement over exactly the columns the schema shows, its values left open and required. From then
on a request computes the key, passes its values and the organisation as parameters, and hands the
rows to orjson. No value of one request stays behind in a plan: a missing one is an error.

What a plan cannot express takes the object path of ``results``, which writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import marshmallow
from sqlalchemy import BindParameter, Select, Uuid, bindparam, inspect
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.cache_key import CacheKey

from core.context import scope
from core.db import SCOPED, TenantMixin, Unit

from .columns import Columns, columns_of
from .narrow import Shape, narrow
from .paging import Key
from .state import web

_MOST_PLANS = 2_000
_ORGANISATION: BindParameter[UUID] = bindparam("jobstead_organisation", type_=Uuid(), required=True)


@dataclass(frozen=True)
class Plan:
    """A statement ready to run, and how its rows become JSON objects."""

    statement: Select[Any]
    columns: Columns
    scoped: bool
    place: tuple[int, ...]
    """Where in a row the values of the order stand, for the next page's cursor."""

    def rows(self, unit: Unit, parameters: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """The rows for these values, of the organisation in scope."""
        unit.flush()  # what the view wrote before it asked
        if self.scoped:
            parameters["jobstead_organisation"] = scope()
        return unit.connection.execute(self.statement, parameters).fetchall()

    def objects(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Rows as what the schema would dump."""
        keys = self.columns.keys
        if not self.columns.converters:
            return [dict(zip(keys, row, strict=False)) for row in rows]  # a row may end in its place
        return [dict(zip(keys, self._converted(row), strict=False)) for row in rows]

    def _converted(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for index, convert in self.columns.converters:
            values[index] = convert(values[index])
        return values


@dataclass
class Source:
    """What is known of one shape of statement together with one schema."""

    model: type[Any]
    statement: Select[Any]
    """The first statement of this shape, its values left open. Plans are made from it alone: another
    statement of the same shape may call its values by other names than ``source_of`` does."""
    columns: Columns | None
    objection: str | None
    orders: dict[tuple[Key, ...], tuple[Key, ...]] = field(default_factory=dict)
    plans: dict[tuple[Shape, bool], Plan] = field(default_factory=dict)


def source_of(statement: Select[Any], schema: marshmallow.Schema) -> tuple[Source, dict[str, Any]]:
    """What is known of ``statement`` and ``schema``, and the values that this statement carries.

    Raises ``TypeError`` for a statement that is not of exactly one model, or is ordered or cut already.
    """
    key: CacheKey | None = statement._generate_cache_key()
    if key is None:
        return _study(statement, schema, "the statement has no cache key"), {}
    sources: dict[Any, tuple[Source, tuple[str, ...]]] = web().caches.setdefault("plans", {})
    known = sources.get((key.key, schema))
    if known is None:
        if len(sources) >= _MOST_PLANS:
            sources.clear()
        names = tuple(bind.key for bind in key.bindparams)
        known = sources[key.key, schema] = (_study(statement, schema, None), names)
    source, names = known
    return source, {name: bind.effective_value for name, bind in zip(names, key.bindparams, strict=True)}


def _study(statement: Select[Any], schema: marshmallow.Schema, objection: str | None) -> Source:
    model = model_of(statement)
    objection = objection or _objection(statement, model)
    columns = columns_of(schema, model) if objection is None else objection
    if isinstance(columns, str):
        return Source(model, statement, None, columns)
    return Source(model, _opened(statement), columns, None)


def model_of(statement: Select[Any]) -> type[Any]:
    """The one model that ``statement`` selects. Raises ``TypeError`` where there is no such."""
    described = statement.column_descriptions
    model = described[0]["type"] if len(described) == 1 else None
    if not isinstance(model, type) or described[0]["expr"] is not model:
        raise TypeError("a view returns a select() of exactly one model")
    if (
        statement._order_by_clauses
        or statement._limit_clause is not None
        or statement._offset_clause is not None
    ):
        raise TypeError("a view's select() carries no order, limit or offset: @page sets them")
    return model


def _objection(statement: Select[Any], model: type[Any]) -> str | None:
    """Why rows of columns would not tell what objects tell."""
    if statement._with_options:
        return "the statement has loader options"
    if statement._distinct or statement._group_by_clauses or statement._having_criteria:
        return "the statement is distinct or grouped"
    if statement._for_update_arg is not None:
        return "the statement locks rows"
    mapper = inspect(model)
    if mapper.inherits is not None or mapper.polymorphic_on is not None:
        return f"{model.__name__} takes part in inheritance"
    return None


def plan_of(source: Source, shape: Shape) -> Plan | None:
    """The plan for ``shape`` of ``source`` in the current scope; ``None`` where ``source`` objects."""
    if source.columns is None:
        return None
    scoped = isinstance(scope(), UUID)
    plan = source.plans.get((shape, scoped))
    if plan is None:
        if len(source.plans) >= _MOST_PLANS:
            source.plans.clear()
        plan = source.plans[shape, scoped] = _make(source, source.columns, shape, scoped)
    return plan


def _make(source: Source, columns: Columns, shape: Shape, scoped: bool) -> Plan:
    attributes = list(columns.attributes)
    place = []
    for key in shape.order:
        if key.attribute not in attributes:
            attributes.append(key.attribute)
        place.append(attributes.index(key.attribute))
    shown = (getattr(source.model, name) for name in attributes)
    core = source.statement.with_only_columns(*shown, maintain_column_froms=True)
    core = narrow(core, source.model, shape)
    if scoped:
        core = core.options(
            with_loader_criteria(
                TenantMixin, lambda cls: cls.organisation_id == _ORGANISATION, include_aliases=True
            )
        ).execution_options(**{SCOPED: "author"})
    return Plan(core, columns, scoped, tuple(place))


def _opened(statement: Select[Any]) -> Select[Any]:
    """``statement`` without the values it was made with: a run that lacks one fails."""
    how = {"maintain_key": True, "detect_subquery_cols": True}
    return visitors.cloned_traverse(statement, how, {"bindparam": _left_open})


def _left_open(bind: BindParameter[Any]) -> None:
    bind.value = None
    bind.callable = None
    bind.required = True
