"""Names that mean nothing: a slip in a key or a variable would otherwise be silently without effect."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from marshmallow import Schema

from core.typed import schema_of

from .errors import ConfigError, nearest
from .tables import Instance

_PREFIX = "JOBSTEAD_"


def refuse_unknown(
    content: Mapping[str, Any], environ: Mapping[str, str], file: str, schemas: Mapping[str, type[Schema]]
) -> None:
    """Raise ``ConfigError`` for a key, a table or a variable of ours that is none.

    ``JOBSTEAD_<TABLE>__<KEY>`` is looked at as far as the table; ``resolve`` knows the keys. Of other
    variables that begin with ``JOBSTEAD_`` only those are refused that nearly are one of ours.
    """
    top = schema_of(Instance)().load_fields
    named = [*schemas, "plugins"]
    for key in content:
        if key not in (*named, *top):
            raise ConfigError(f'{file} has the unknown key "{key}": {nearest(key, (*named, *top))}')

    single = {f"{_PREFIX}{key.upper()}" for key in top} | {f"{_PREFIX}CONFIG"} | _aliases(schemas)
    for variable in environ:
        table, double, _ = variable.removeprefix(_PREFIX).partition("__")
        if not variable.startswith(_PREFIX) or variable in single:
            continue
        if double and table.lower() not in named:
            raise ConfigError(f"environment {variable} names no table of {file}: {nearest(table, named)}")
        if not double and (near := get_close_matches(variable, single, n=1, cutoff=0.9)):
            raise ConfigError(f"environment {variable} names no setting: did you mean {near[0]}?")


def _aliases(schemas: Mapping[str, type[Schema]]) -> set[str]:
    every = [schema_of(Instance), *schemas.values()]
    found = {
        name for schema in every for each in schema().fields.values() for name in each.metadata["aliases"]
    }
    return {name for name in found if name.startswith(_PREFIX)}
