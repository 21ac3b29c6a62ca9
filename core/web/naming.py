"""Names of schemas in the OpenAPI document: ``<plugin>.<Schema>``, the same every time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from zlib import crc32

import marshmallow
from apispec.ext.marshmallow.common import make_schema_key, resolve_schema_cls

_SUFFIX = "Schema"


class SchemaNames:
    """Names a schema after the plugin whose package it stands in.

    ``plugin`` is the one being described: it gets what stands in no package of a plugin. Two schemas of
    one name in one plugin are told apart by their module.
    """

    def __init__(self) -> None:
        self.plugin = "core"
        self._taken: dict[str, Any] = {}

    def __call__(self, schema: Any) -> str:
        kind: Any = resolve_schema_cls(schema)
        name = f"{self._owner(kind.__module__)}.{kind.__name__.removesuffix(_SUFFIX) or kind.__name__}"
        if isinstance(schema, marshmallow.Schema):
            name += _modified(schema)
        key = make_schema_key(schema) if isinstance(schema, marshmallow.Schema) else kind
        if self._taken.setdefault(name, key) != key:
            name = f"{name}_{kind.__module__.rpartition('.')[2]}"
        return name

    def _owner(self, module: str) -> str:
        root, _, rest = module.partition(".")
        if root == "core":
            return "core"
        if root == "plugins" and rest:
            return rest.partition(".")[0]
        return self.plugin


def _modified(schema: marshmallow.Schema) -> str:
    """What tells ``PostingIn(partial=True)`` from ``PostingIn()``."""
    suffix = "Partial" if schema.partial is True else ""
    said = [
        f"{name}={','.join(sorted(map(str, value)))}"
        for name in ("only", "exclude", "load_only", "dump_only", "partial")
        if isinstance(value := getattr(schema, name), Collection) and value
    ]
    return suffix + (f"_{crc32(';'.join(said).encode()):08x}" if said else "")
