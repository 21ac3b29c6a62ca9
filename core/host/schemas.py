"""Plugins on the wire."""

from __future__ import annotations

from marshmallow import fields

from core.web import Schema


class PluginOut(Schema):
    id = fields.String(required=True, metadata={"description": "The plugin's name."})
    version = fields.String(allow_none=True)
    summary = fields.String(allow_none=True)
    category = fields.String(allow_none=True)
    scope = fields.String(allow_none=True, metadata={"description": "tenant or instance."})
    origin = fields.String(metadata={"description": "bundled, path, installed, or missing."})
    enabled = fields.Boolean(metadata={"description": "Whether it shall run."})
    decided_by = fields.String(metadata={"description": "file, environment, admin or default."})
    locked = fields.Boolean(metadata={"description": "Decided by file or environment, not by admins."})
    state = fields.String(metadata={"description": "active, disabled, failed, enabling or disabling."})
    step = fields.String(allow_none=True, metadata={"description": "The step a failed plugin stopped at."})
    reason = fields.String(allow_none=True, metadata={"description": "Why it failed."})
    requires = fields.List(fields.String())
    dependants = fields.List(fields.String())
    health = fields.Dict(allow_none=True, metadata={"description": "status ok, degraded or down, and more."})


class PluginList(Schema):
    items = fields.List(fields.Nested(PluginOut))
    next_cursor = fields.String(allow_none=True)


class ManifestOut(Schema):
    name = fields.String()
    version = fields.String()
    api = fields.String()
    urls = fields.List(fields.String())
    default = fields.String()
    after = fields.List(fields.String())
    python = fields.List(fields.String())


class RouteOut(Schema):
    method = fields.String()
    path = fields.String()
    permission = fields.String(allow_none=True, metadata={"description": "null where everybody may."})


class PermissionOut(Schema):
    name = fields.String()
    summary = fields.String()
    roles = fields.List(fields.String())


class HandlerOut(Schema):
    name = fields.String()
    events = fields.List(fields.String())


class ScheduleOut(Schema):
    name = fields.String()
    job = fields.String()
    cron = fields.String()
    tz = fields.String()
    policy = fields.String()


class PluginDetail(PluginOut):
    manifest = fields.Nested(ManifestOut, allow_none=True)
    capabilities = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))
    hooks = fields.List(fields.String())
    routes = fields.List(fields.Nested(RouteOut))
    permissions = fields.List(fields.Nested(PermissionOut))
    tables = fields.List(fields.String())
    events = fields.List(fields.String())
    handlers = fields.List(fields.Nested(HandlerOut))
    jobs = fields.List(fields.String())
    schedules = fields.List(fields.Nested(ScheduleOut))
    commands = fields.List(fields.String())
    pending_migrations = fields.List(fields.String())


class SwitchArguments(Schema):
    cascade = fields.Boolean(
        load_default=False,
        metadata={"description": "Also those that require it (disable) or it requires (enable)."},
    )
