"""Declared filters of a list: each a query parameter, a column and a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import marshmallow
from marshmallow import fields
from sqlalchemy import ColumnElement, Select, bindparam

from .schema import Schema

OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column != value,
    "lt": lambda column, value: column < value,
    "le": lambda column, value: column <= value,
    "gt": lambda column, value: column > value,
    "ge": lambda column, value: column >= value,
    "in": lambda column, value: column.in_(value),
    "contains": lambda column, value: column.ilike(value, escape="/"),
    "prefix": lambda column, value: column.ilike(value, escape="/"),
}


class FilterSchema(Schema):
    """Derive from this and declare one field for each filter.

    ``metadata={"column": "applied_at", "op": "ge"}`` names the model's attribute (the field's own name
    by default) and the comparison: eq (default), ne, lt, le, gt, ge, in (a ``fields.List``), contains and
    prefix (both without regard to case), or null (a ``fields.Boolean``). What no comparison says,
    override ``apply`` for.
    """

    def apply(self, statement: Select[Any], values: dict[str, Any]) -> Select[Any]:
        """Narrow ``statement`` by what declared comparisons cannot express.

        ``values`` are those given, by Python name; take out the ones handled here.
        """
        return statement


@dataclass(frozen=True)
class Comparison:
    """One filter in use: ``shape`` is what changes the SQL, the value travels as a parameter."""

    name: str
    column: str
    op: str
    is_null: bool | None = None

    @property
    def parameter(self) -> str:
        return f"filter_{self.name}"

    def criterion(self, model: type[Any]) -> ColumnElement[bool]:
        """The comparison on ``model``, with a named parameter in place of the value."""
        column = getattr(model, self.column)
        if self.op == "null":
            return column.is_(None) if self.is_null else column.is_not(None)  # type: ignore[no-any-return]
        bind = bindparam(self.parameter, type_=column.type, expanding=self.op == "in")
        return OPERATORS[self.op](column, bind)

    def value(self, given: Any) -> Any:
        """What the parameter carries for the value a caller gave."""
        if self.op == "contains":
            return f"%{_escaped(given)}%"
        if self.op == "prefix":
            return f"{_escaped(given)}%"
        return given


def comparisons(schema: FilterSchema, values: Mapping[str, Any]) -> tuple[Comparison, ...]:
    """The declared filters that ``values`` use, in the schema's order.

    Raises ``TypeError`` for an op that does not exist.
    """
    used = []
    for name, field in schema.fields.items():
        if name not in values:
            continue
        op = field.metadata.get("op", "eq")
        if op not in OPERATORS and op != "null":
            raise TypeError(f"{type(schema).__name__}.{name}: {op!r} is no comparison")
        column = field.metadata.get("column", name)
        used.append(Comparison(name, column, op, values[name] if op == "null" else None))
    return tuple(used)


def from_query(schema: marshmallow.Schema, query: Mapping[str, list[str]]) -> dict[str, Any]:
    """A query string's values in the form ``schema.load`` takes: lists for list fields, else the first."""
    lists = {f.data_key for f in schema.fields.values() if isinstance(f, fields.List)}
    return {key: _split(given) if key in lists else given[0] for key, given in query.items()}


def _split(given: list[str]) -> list[str]:
    """``a=1&a=2`` and ``a=1,2`` mean the same."""
    return [part for value in given for part in value.split(",") if part]


def _escaped(text: str) -> str:
    return text.replace("/", "//").replace("%", "/%").replace("_", "/_")
