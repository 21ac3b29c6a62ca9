"""Keyset paging: the last row of a page tells where the next begins, so page 10,000 costs no more than 1."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy import BindParameter, ColumnElement, bindparam, inspect, or_, tuple_
from sqlalchemy.sql import and_

from core.errors import Invalid

from .columns import value_type
from .json_provider import dump_bytes
from .schema import read_time

LIMIT = 20
MOST = 100
_KEYS = 3  # sort keys one request may name


@dataclass(frozen=True)
class Key:
    """One column of an order; ``attribute`` is the model's name of it."""

    attribute: str
    descending: bool


@dataclass(frozen=True)
class Position:
    """Where in a list a page stands, as the query said it."""

    order: tuple[Key, ...]
    limit: int
    after: tuple[Any, ...] | None
    sort: str


@dataclass(frozen=True)
class Sorts:
    """The declared orders of a list: the first is the default, each may be turned round."""

    keys: Mapping[str, Key]
    default: str

    @classmethod
    def declared(cls, names: Sequence[str]) -> Sorts:
        """From ``("-createdAt", "name")``."""
        keys = {name.lstrip("-"): Key(_snake(name.lstrip("-")), name.startswith("-")) for name in names}
        return cls(keys, names[0])

    def read(self, sort: str) -> tuple[Key, ...]:
        """The order that ``sort`` asks for. Raises ``Invalid`` for an undeclared one."""
        parts = sort.split(",")
        names = [part.lstrip("-") for part in parts]
        if len(parts) > _KEYS or len(set(names)) != len(names) or not set(names) <= set(self.keys):
            raise Invalid(errors={"sort": [f"Must be of: {', '.join(sorted(self.keys))}."]})
        return tuple(
            Key(self.keys[name].attribute, part.startswith("-"))
            for name, part in zip(names, parts, strict=True)
        )


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def checked_order(model: type[Any], order: tuple[Key, ...]) -> tuple[Key, ...]:
    """``order`` made total by the primary key. Raises ``TypeError`` for a column that may be NULL."""
    mapper = inspect(model)
    for key in order:
        if mapper.columns[key.attribute].nullable:
            raise TypeError(f"{model.__name__}.{key.attribute} may be NULL: a list cannot be sorted by it")
    named = {key.attribute for key in order}
    rest = (mapper.get_property_by_column(column).key for column in mapper.primary_key)
    last = order[-1].descending
    return order + tuple(Key(attribute, last) for attribute in rest if attribute not in named)


def order_by(model: type[Any], order: tuple[Key, ...]) -> list[ColumnElement[Any]]:
    """The ORDER BY of an order."""
    columns = (getattr(model, key.attribute) for key in order)
    return [
        column.desc() if key.descending else column.asc() for key, column in zip(order, columns, strict=True)
    ]


def beyond(model: type[Any], order: tuple[Key, ...]) -> ColumnElement[bool]:
    """The rows after the one whose values travel as ``after_0``, ``after_1``, ..."""
    columns: list[ColumnElement[Any]] = [getattr(model, key.attribute) for key in order]
    binds: list[BindParameter[Any]] = [bindparam(f"after_{i}", type_=c.type) for i, c in enumerate(columns)]
    if len({key.descending for key in order}) == 1:
        row, place = tuple_(*columns), tuple_(*binds)
        return row < place if order[0].descending else row > place
    steps = []
    for i, key in enumerate(order):
        same = [columns[j] == binds[j] for j in range(i)]
        steps.append(and_(*same, columns[i] < binds[i] if key.descending else columns[i] > binds[i]))
    return or_(*steps)


def write_cursor(sort: str, values: Sequence[Any]) -> str:
    """An opaque name for the place after a row with these values."""
    return base64.urlsafe_b64encode(dump_bytes([sort, *values])).rstrip(b"=").decode()


def read_cursor(cursor: str, sort: str, model: type[Any], order: tuple[Key, ...]) -> tuple[Any, ...]:
    """The values that ``write_cursor`` was given. Raises ``Invalid`` for anything else.

    Nothing is signed: a cursor somebody made up only names another place in a list they may read.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        said, *values = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        columns = inspect(model).columns
        if said != sort or len(values) != len(order):
            raise ValueError(said)
        kinds = (value_type(columns[key.attribute]) for key in order)
        return tuple(_typed(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (ValueError, TypeError, ArithmeticError):
        raise Invalid(
            errors={"cursor": ["Is none that this list gave, or was given for another order."]}
        ) from None


def _typed(value: Any, kind: type[Any]) -> Any:
    if kind is UUID:
        return UUID(value)
    if kind is datetime:
        return read_time(value)
    if kind is date:
        return date.fromisoformat(value)
    if kind is Decimal:
        return Decimal(value)
    if kind is float and type(value) is int:
        return float(value)
    if (
        type(value) is not kind
        or (kind is str and "\0" in value)
        or (kind is int and value.bit_length() > 63)
    ):
        raise ValueError(value)
    return value


class Ordered(Protocol):
    """A model, and its orders found sound so far."""

    model: type[Any]
    orders: dict[tuple[Key, ...], tuple[Key, ...]]


def read_position(
    sorts: Sorts, of: Ordered, *, limit: str | None, cursor: str | None, sort: str | None
) -> Position:
    """Where the query says the page stands. Raises ``Invalid``."""
    said = sort or sorts.default
    named = sorts.read(said)
    order = of.orders.get(named)
    if order is None:
        order = of.orders[named] = checked_order(of.model, named)
    after = read_cursor(cursor, said, of.model, order) if cursor else None
    return Position(order, _limit(limit), after, said)


def _limit(said: str | None) -> int:
    if said is None:
        return LIMIT
    if not (said.isascii() and said.isdigit() and 1 <= len(said) <= 4 and 1 <= int(said) <= MOST):
        raise Invalid(errors={"limit": [f"Must be a whole number from 1 to {MOST}."]})
    return int(said)
