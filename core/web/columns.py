"""How a schema's fields are read from a model's columns, and which fields cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import marshmallow
from marshmallow import fields
from sqlalchemy import Column, TypeDecorator, inspect
from sqlalchemy.orm import ColumnProperty

from core.db import UtcDateTime

from .schema import Schema

_AS_THEY_ARE: dict[type[Any], type[Any]] = {
    fields.String: str,
    fields.Email: str,
    fields.Url: str,
    fields.Boolean: bool,
    fields.Integer: int,
    fields.Float: float,
    fields.UUID: UUID,
    fields.Date: date,
}
"""Fields whose column's values orjson writes as marshmallow would."""

_CONVERTED = {
    *_AS_THEY_ARE,
    fields.Decimal,
    fields.Dict,
    fields.Enum,
    fields.List,
    fields.Time,
    fields.TimeDelta,
    fields.DateTime,
    fields.AwareDateTime,
}
"""Marshmallow's own fields that look at nothing but the value."""

Convert = Callable[[Any], Any]


@dataclass(frozen=True)
class Columns:
    """What to select for a schema: wire keys and attributes in its order, and values to convert by index."""

    keys: tuple[str, ...]
    attributes: tuple[str, ...]
    converters: tuple[tuple[int, Convert], ...]


def columns_of(schema: marshmallow.Schema, model: type[Any]) -> Columns | str:
    """The columns that ``schema`` shows of ``model``, or why it takes whole objects."""
    why = _whole_objects(schema)
    if why:
        return why
    mapper = inspect(model)
    keys, attributes, converters = [], [], []
    for index, (name, field) in enumerate(schema.dump_fields.items()):
        attribute = field.attribute or name
        prop = mapper.attrs.get(attribute)
        if not isinstance(prop, ColumnProperty) or not isinstance(prop.columns[0], Column):
            return f"{name} is no column of {model.__name__}"
        if not _as_it_is(field, prop.columns[0]):
            if not _looks_at_value_only(field):
                return f"{name} is a {type(field).__name__}, which may look at the whole object"
            converters.append((index, _converter(field, attribute)))
        keys.append(field.data_key or name)
        attributes.append(attribute)
    return Columns(tuple(keys), tuple(attributes), tuple(converters))


def _whole_objects(schema: marshmallow.Schema) -> str | None:
    if any(schema._hooks.get(hook) for hook in ("pre_dump", "post_dump")):
        return "the schema has pre_dump or post_dump hooks"
    ours = type(schema)
    for name in ("dump", "get_attribute", "_serialize"):
        if getattr(ours, name) is not getattr(marshmallow.Schema, name):
            return f"the schema overrides {name}"
    if not isinstance(schema, Schema):
        return "the schema does not derive from core's"
    return None


def _as_it_is(field: fields.Field[Any], column: Column[Any]) -> bool:
    kind = type(field)
    if kind is fields.Raw:
        return True
    if kind in (fields.DateTime, fields.AwareDateTime):
        return isinstance(column.type, UtcDateTime) and getattr(field, "format", None) in (None, "iso")
    if getattr(field, "as_string", False) or (kind is fields.Date and getattr(field, "format", None)):
        return False
    return kind in _AS_THEY_ARE and value_type(column) is _AS_THEY_ARE[kind]


def value_type(column: Column[Any]) -> type[Any]:
    """The Python type of a column's values; ``object`` where the column does not say."""
    kind = column.type.impl_instance if isinstance(column.type, TypeDecorator) else column.type
    try:
        return kind.python_type
    except NotImplementedError:
        return object


def _looks_at_value_only(field: Any) -> bool:
    if type(field) not in _CONVERTED:
        return False
    inner = [getattr(field, name, None) for name in ("inner", "key_field", "value_field")]
    return all(_looks_at_value_only(part) for part in inner if part is not None)


def _converter(field: fields.Field[Any], attribute: str) -> Convert:
    return lambda value: field._serialize(value, attribute, None)
