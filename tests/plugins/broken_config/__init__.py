"""Well in itself; its table in plugins.toml is not."""

from __future__ import annotations

from core.api import Schema, fields


class ConfigSchema(Schema):
    colour = fields.String(load_default="red")
