"""JSON Schema 2020-12 of a marshmallow schema: a page draws a form of it, others read events."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from marshmallow import RAISE, Schema, fields, missing, validate

from .fields import duration_text
from .secret import MASK, Secret

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# The first that fits wins: subclasses stand before their bases.
_TYPES: tuple[tuple[type[fields.Field[Any]], dict[str, Any]], ...] = (
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (fields.Url, {"type": "string", "format": "uri"}),
    (fields.Email, {"type": "string", "format": "email"}),
    (fields.String, {"type": "string"}),
    (fields.Integer, {"type": "integer"}),
    (fields.Number, {"type": "number"}),
    (fields.Boolean, {"type": "boolean"}),
    (fields.Date, {"type": "string", "format": "date"}),
    (fields.DateTime, {"type": "string", "format": "date-time"}),
)


def json_schema(schema: Schema | type[Schema]) -> dict[str, Any]:
    """``schema`` as JSON Schema 2020-12, nested schemas in place; what is only dumped is left out."""
    instance = schema() if isinstance(schema, type) else schema
    return {"$schema": _DIALECT, "title": type(instance).__name__, **_object(instance)}


def _object(schema: Schema) -> dict[str, Any]:
    loaded = schema.load_fields
    properties = {each.data_key or name: _property(each) for name, each in loaded.items()}
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [each.data_key or name for name, each in loaded.items() if each.required]:
        shape["required"] = required
    if schema.unknown == RAISE:
        shape["additionalProperties"] = False
    return shape


def _property(field: fields.Field[Any]) -> dict[str, Any]:
    shape = _shape(field)
    for validator in field.validators:
        shape.update(_bounds(validator, shape.get("type")))
    if field.allow_none:
        shape = _nullable(shape)
    if description := field.metadata.get("description"):
        shape["description"] = description
    if field.load_default is not missing and not callable(field.load_default):
        shape["default"] = _plain(field.load_default)
    return shape


def _shape(field: fields.Field[Any]) -> dict[str, Any]:
    own = getattr(field, "json_schema", None)
    if callable(own):
        return dict(own())
    if isinstance(field, fields.Nested):
        inner = _object(field.schema)
        return {"type": "array", "items": inner} if field.many else inner
    if isinstance(field, fields.List):
        return {"type": "array", "items": _property(field.inner)}
    if isinstance(field, fields.Dict):
        shape: dict[str, Any] = {"type": "object"}
        if field.value_field is not None:
            shape["additionalProperties"] = _property(field.value_field)
        return shape
    return next((dict(shape) for kind, shape in _TYPES if isinstance(field, kind)), {})


def _bounds(validator: Any, kind: Any) -> dict[str, Any]:
    """What a validator says in JSON Schema's words; nothing for one that has none."""
    if isinstance(validator, validate.OneOf):
        return {"enum": list(validator.choices)}
    if isinstance(validator, validate.Regexp):
        return {"pattern": validator.regex.pattern}
    if isinstance(validator, validate.Range):
        low = "minimum" if validator.min_inclusive else "exclusiveMinimum"
        high = "maximum" if validator.max_inclusive else "exclusiveMaximum"
        found = {low: validator.min, high: validator.max}
    elif isinstance(validator, validate.Length):
        noun = "Items" if kind == "array" else "Properties" if kind == "object" else "Length"
        low_count = validator.min if validator.equal is None else validator.equal
        high_count = validator.max if validator.equal is None else validator.equal
        found = {f"min{noun}": low_count, f"max{noun}": high_count}
    else:
        return {}
    return {key: value for key, value in found.items() if isinstance(value, int | float)}


def _nullable(shape: dict[str, Any]) -> dict[str, Any]:
    if not shape:
        return shape
    if isinstance(shape.get("type"), str):
        shape["type"] = [shape["type"], "null"]
        if "enum" in shape:
            shape["enum"] = [*shape["enum"], None]
        return shape
    return {"anyOf": [shape, {"type": "null"}]}


def _plain(value: Any) -> Any:
    """A default as JSON."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, tuple | set | frozenset):
        return [_plain(item) for item in value]
    return value
