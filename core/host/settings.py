"""A plugin's settings: what its ``ConfigSchema`` makes of environment, file and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, cast

from flask import current_app
from marshmallow import Schema

from core.config import Config, resolve

from .record import Failure

KEY = "jobstead.settings"


class _NoSettings(Schema):
    """Of a plugin without settings: every key is unknown."""


def schema_of(package: ModuleType) -> Schema:
    """The plugin's schema, or one without fields. Raises ``Failure`` when it is something else."""
    declared = getattr(package, "ConfigSchema", _NoSettings)
    if isinstance(declared, type) and issubclass(declared, Schema):
        return declared()
    raise Failure("ConfigSchema must be a marshmallow Schema class")


def resolved(
    name: str, schema: Schema, config: Config, environ: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings of plugin ``name`` and where each came from. Raises ``ConfigError``.

    ``enabled`` in the plugin's table, and its variable, are the host's and no setting.
    """
    mine = {key: value for key, value in config.plugins.get(name, {}).items() if key != "enabled"}
    around = {key: value for key, value in environ.items() if key != enabled_variable(name)}
    found = resolve(
        schema,
        prefix=("plugins", name),
        table=mine,
        environ=around,
        profile=config.profile,
        file=config.path.name,
    )
    return dict(found.values), dict(found.sources)


def enabled_variable(name: str) -> str:
    """The environment variable that switches plugin ``name``."""
    return f"JOBSTEAD_PLUGINS__{name.upper()}__ENABLED"


def settings(plugin: str) -> dict[str, Any]:
    """The settings of ``plugin`` in the running app; empty where it is not loaded or has none."""
    every = cast("dict[str, dict[str, Any]]", current_app.extensions.get(KEY, {}))
    return every.get(plugin, {})
