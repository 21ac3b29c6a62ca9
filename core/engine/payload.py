"""Between a dataclass and JSON, by the types of its fields, compiled once per class.

Stored events outlive the code that wrote them, so reading is tolerant where configuration is
strict: unknown keys are left aside and missing ones take the field's default.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

Convert = Callable[[Any], Any]

T = TypeVar("T")


@dataclasses.dataclass(frozen=True)
class Codec:
    """``dump(instance) -> dict`` and ``load(dict) -> instance``."""

    dump: Callable[[Any], dict[str, Any]]
    load: Callable[[Mapping[str, Any]], Any]


def codec_of(cls: type[Any]) -> Codec:
    """The codec of dataclass ``cls``. Raises ``TypeError`` for a field type that JSON cannot carry."""
    hints = get_type_hints(cls)
    fields = [(f.name, *_pair(hints[f.name], f"{cls.__name__}.{f.name}")) for f in dataclasses.fields(cls)]

    def dump(instance: Any) -> dict[str, Any]:
        found = {}
        for name, to_json, _ in fields:
            value = getattr(instance, name)
            found[name] = value if to_json is None else to_json(value)
        return found

    def load(stored: Mapping[str, Any]) -> Any:
        found = {}
        for name, _, from_json in fields:
            if name in stored:
                value = stored[name]
                found[name] = value if from_json is None else from_json(value)
        return cls(**found)

    return Codec(dump, load)


def _utc_text(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


_PLAIN = (str, int, float, bool, Any, object, type(None))
_LEAVES: dict[Any, tuple[Convert, Convert]] = {
    UUID: (str, UUID),
    datetime: (_utc_text, datetime.fromisoformat),
    date: (date.isoformat, date.fromisoformat),
    timedelta: (timedelta.total_seconds, lambda seconds: timedelta(seconds=seconds)),
    Decimal: (str, Decimal),
}


def _pair(hint: Any, where: str) -> tuple[Convert | None, Convert | None]:
    """How a value of type ``hint`` goes to JSON and comes back; ``None``: as it is."""
    if hint in _PLAIN:
        return None, None
    if hint in _LEAVES:
        return _LEAVES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return None, None
    if origin in (Union, types.UnionType):
        return _optional(arguments, where)
    if origin in (list, tuple, frozenset, set) or hint in (list, tuple, frozenset, set):
        return _many(origin or hint, arguments, where)
    if origin in (dict, Mapping) or hint is dict:
        return _mapping(arguments, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return (lambda value: value.value), hint
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        inner = codec_of(hint)
        return inner.dump, inner.load
    raise TypeError(f"{where}: an event cannot carry {hint}")


def _optional(arguments: tuple[Any, ...], where: str) -> tuple[Convert | None, Convert | None]:
    present = [argument for argument in arguments if argument is not type(None)]
    if len(present) != 1:
        if all(argument in _PLAIN for argument in present):
            return None, None
        raise TypeError(f"{where}: a union of types cannot be told apart in JSON")
    to_json, from_json = _pair(present[0], where)
    return _unless_none(to_json), _unless_none(from_json)


def _unless_none(convert: Convert | None) -> Convert | None:
    return None if convert is None else lambda value: None if value is None else convert(value)


def _many(kind: type[Any], arguments: tuple[Any, ...], where: str) -> tuple[Convert, Convert]:
    inner = [argument for argument in arguments if argument is not Ellipsis]
    if len(inner) > 1:
        raise TypeError(f"{where}: a tuple of several types cannot be told apart in JSON")
    to_json, from_json = _pair(inner[0], where) if inner else (None, None)
    return (
        list if to_json is None else lambda values: [to_json(value) for value in values],
        kind if from_json is None else lambda values: kind(from_json(value) for value in values),
    )


def _mapping(arguments: tuple[Any, ...], where: str) -> tuple[Convert | None, Convert | None]:
    if arguments and arguments[0] is not str:
        raise TypeError(f"{where}: JSON has text keys only")
    to_json, from_json = _pair(arguments[1], where) if arguments else (None, None)
    return (
        None if to_json is None else lambda values: {key: to_json(value) for key, value in values.items()},
        None
        if from_json is None
        else lambda values: {key: from_json(value) for key, value in values.items()},
    )
