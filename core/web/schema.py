"""The base of every marshmallow schema on the wire: camelCase outside, snake_case inside, UTC times."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import marshmallow
from marshmallow import ValidationError, fields

_INTEGER_BITS = 63  # what a BIGINT column holds


def camel(name: str) -> str:
    """``applied_at`` → ``appliedAt``; a leading underscore stays."""
    head, *rest = name.split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest) if head else name


def write_time(moment: datetime) -> str:
    """RFC 3339 in UTC with ``Z``: byte for byte what orjson writes for the same moment."""
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.replace(tzinfo=None).isoformat() + "Z"


def read_time(text: str) -> datetime:
    """An aware UTC moment from RFC 3339. Raises ``ValueError`` where the offset is missing."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # year 1 east of Greenwich
        raise ValueError("out of range") from error


class Schema(marshmallow.Schema):
    """Derive from this. Keys on the wire are camelCase, unknown ones are refused with 422.

    ``fields.DateTime`` reads and writes UTC with ``Z``; strings without NUL and integers of 64 bits
    are what both databases can store, so anything else is an error of that field.
    """

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        if field_obj.data_key is None:
            field_obj.data_key = camel(field_name)
        for part in _parts(field_obj):
            _tighten(part)

    def handle_error(self, error: ValidationError, data: Any, *, many: bool, **kwargs: Any) -> None:
        """Name fields as the caller wrote them, also where a validator named the Python attribute."""
        messages = error.messages
        if many and isinstance(messages, dict):
            error.messages = {
                key: self._renamed(value) if isinstance(value, dict) else value
                for key, value in messages.items()
            }
        elif isinstance(messages, dict):
            error.messages = self._renamed(messages)

    def _renamed(self, messages: dict[Any, Any]) -> dict[Any, Any]:
        return {(self.fields[k].data_key or k) if k in self.fields else k: v for k, v in messages.items()}


class OneOf:
    """Two schemas of which an answer has one: ``second`` where ``choose`` says so of the value.

    For ``@blp.response`` alone; the document shows both.
    """

    def __init__(
        self, first: marshmallow.Schema, second: marshmallow.Schema, *, choose: Callable[[Any], bool]
    ) -> None:
        self.schemas = (first, second)
        self._choose = choose

    def dump(self, value: Any) -> Any:
        """What goes out."""
        return self.schemas[self._choose(value)].dump(value)


def _parts(field: Any) -> Iterator[Any]:
    """A field and the fields inside it; a nested schema looks after its own."""
    yield field
    if isinstance(field, fields.List):
        yield from _parts(field.inner)
    elif isinstance(field, fields.Dict):
        for inner in (field.key_field, field.value_field):
            if inner is not None:
                yield from _parts(inner)
    elif isinstance(field, fields.Tuple):
        for inner in field.tuple_fields:
            yield from _parts(inner)


def _tighten(field: Any) -> None:
    # marshmallow copies fields shallowly for each schema: assign, never change in place
    if isinstance(field, fields.DateTime) and field.format in (None, "iso"):
        field.SERIALIZATION_FUNCS = {**field.SERIALIZATION_FUNCS, "iso": write_time}
        field.DESERIALIZATION_FUNCS = {**field.DESERIALIZATION_FUNCS, "iso": read_time}
    elif isinstance(field, fields.String):
        field.validators = [_no_nul, *field.validators]
    elif isinstance(field, fields.Integer):
        field.validators = [_fits, *field.validators]


def _no_nul(value: object) -> None:
    if isinstance(value, str) and "\0" in value:
        raise ValidationError("Must not contain NUL characters.")


def _fits(value: object) -> None:
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        raise ValidationError("Must fit 64 bits.")
