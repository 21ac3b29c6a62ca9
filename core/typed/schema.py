"""A marshmallow schema made of a dataclass."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from .fields import Bytes, BytesField, DurationField, TupleField, UtcField
from .secret import Secret, SecretField

Validators = Callable[[Any], Any] | Sequence[Callable[[Any], Any]]

_PLAIN: Mapping[Any, Callable[..., fields.Field[Any]]] = {
    str: fields.String,
    int: lambda **options: fields.Integer(strict=True, **options),
    float: lambda **options: fields.Float(allow_nan=False, **options),
    bool: fields.Boolean,
    UUID: fields.UUID,
    datetime: UtcField,
    date: fields.Date,
    timedelta: DurationField,
    Bytes: BytesField,
    Secret: SecretField,
    dict: fields.Dict,
    list: lambda **options: fields.List(fields.Raw(allow_none=True), **options),
    Any: fields.Raw,
}


def described(
    default: Any,
    description: str,
    *,
    aliases: Sequence[str] = (),
    validate: Validators | None = None,
    **more: Any,
) -> Any:
    """A dataclass field with what its schema shall know.

    A list or dict as ``default`` is copied for each instance. ``aliases`` are environment variables
    that set it; ``hardened=...`` is its default under ``profile = "hardened"``.
    """
    metadata = {"description": description, "aliases": tuple(aliases), "validate": validate, **more}
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


class _OfDataclass(Schema):
    """Loads the dataclass itself; a ``ValueError`` of its ``__post_init__`` is a validation error."""

    dataclass: ClassVar[type[Any]]

    class Meta:
        unknown = RAISE
        register = False

    @post_load
    def _build(self, data: dict[str, Any], **_: Any) -> Any:
        try:
            return self.dataclass(**data)
        except ValueError as error:
            raise ValidationError(str(error)) from error


def schema_of(cls: type[object]) -> type[Schema]:
    """The schema class of dataclass ``cls``: ``load`` gives an instance, unknown keys are refused.

    Understands ``str int float bool UUID datetime date timedelta Bytes Secret``, ``list[X]``,
    ``tuple[X, ...]``, ``dict[str, X]``, ``Literal``, ``X | None``, ``Any`` and other dataclasses. A
    field without default is required. The metadata of a dataclass field may hold ``description``,
    ``validate`` (a callable or several) and anything else, which becomes the marshmallow field's
    metadata. Raises ``TypeError`` for a type it does not know.
    """
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is not a dataclass")
    return _made_of(cls)


@cache
def _made_of(cls: type[Any]) -> type[Schema]:
    hints = get_type_hints(cls)
    members: dict[str, Any] = {"dataclass": cls, "__doc__": cls.__doc__, "__module__": cls.__module__}
    for each in dataclasses.fields(cls):
        if each.init:
            members[each.name] = _field(hints[each.name], f"{cls.__name__}.{each.name}", **_options(each))
    return type(f"{cls.__name__}Schema", (_OfDataclass,), members)


def _options(each: dataclasses.Field[Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in each.metadata.items() if key != "validate"}
    options: dict[str, Any] = {"metadata": metadata}
    if (validators := each.metadata.get("validate")) is not None:
        options["validate"] = validators
    if each.default is not dataclasses.MISSING:
        options["load_default"] = each.default
    elif each.default_factory is not dataclasses.MISSING:
        options["load_default"] = each.default_factory
    else:
        options["required"] = True
    return options


def _field(hint: Any, where: str, **options: Any) -> fields.Field[Any]:
    """The marshmallow field for type ``hint``; ``where`` names the dataclass field in errors."""
    if hint in _PLAIN:
        return _PLAIN[hint](**options)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(arguments, where, **options)
    if origin is Literal:
        options["validate"] = [validate.OneOf(arguments), *_several(options.get("validate"))]
        return _field(type(arguments[0]), where, **options)
    if origin is list:
        return fields.List(_field(arguments[0], where), **options)
    if origin is tuple and arguments[1:] == (Ellipsis,):
        return TupleField(_field(arguments[0], where), **options)
    if origin is dict and arguments[0] is str:
        return fields.Dict(keys=fields.String(), values=_field(arguments[1], where), **options)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return fields.Nested(schema_of(hint), **options)
    raise TypeError(f"{where}: no schema for the type {hint}")


def _optional(arguments: tuple[Any, ...], where: str, **options: Any) -> fields.Field[Any]:
    inner = [argument for argument in arguments if argument is not type(None)]
    if len(inner) != 1 or len(inner) == len(arguments):
        raise TypeError(f"{where}: of unions only X | None has a schema")
    return _field(inner[0], where, **{**options, "allow_none": True})


def _several(validators: Validators | None) -> list[Callable[[Any], Any]]:
    if validators is None:
        return []
    return [validators] if callable(validators) else list(validators)
