"""A plugin in words and lists, for the API and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Flask

from core.access import Permissions, access_of
from core.db import tables_of
from core.hooks import Hooks

from .health import health_of
from .manifest import Manifest
from .record import Record


def brief(record: Record, enabled: bool, by: str, state: str, dependants: Sequence[str]) -> dict[str, Any]:
    """What a list of plugins shows."""
    manifest = record.manifest
    return {
        "id": record.name,
        "version": manifest.version if manifest else None,
        "summary": manifest.summary if manifest else None,
        "category": manifest.category if manifest else None,
        "scope": manifest.scope if manifest else None,
        "origin": record.found.origin,
        "enabled": enabled,
        "decided_by": by,
        "locked": by in ("file", "environment"),
        "state": state,
        "step": record.step if record.state == "failed" else None,
        "reason": record.reason,
        "requires": [str(requirement) for requirement in manifest.requires] if manifest else [],
        "dependants": list(dependants),
        "health": health_of(record),
    }


def whole(record: Record, brief_: dict[str, Any], app: Flask) -> dict[str, Any]:
    """Everything the plugin is and brings."""
    hooks: Hooks = app.extensions["jobstead.hooks"]
    permissions: Permissions = app.extensions["jobstead.permissions"]
    manifest, offer = record.manifest, record.offer
    capabilities = manifest.capabilities if manifest else {}
    return {
        **brief_,
        "manifest": _manifest(manifest) if manifest else None,
        "capabilities": {key: list(values) for key, values in capabilities.items()},
        "hooks": hooks.implemented_by(record.name),
        "routes": _routes(record, app),
        "permissions": [
            {"name": p.name, "summary": p.summary, "roles": sorted(p.roles)}
            for p in permissions.of(record.name)
        ],
        "tables": [table.name for table in tables_of(record.name)] if record.module else [],
        "events": sorted(event.type for event in offer.events),
        "handlers": [
            {
                "name": how.get("name") or fn.__name__,
                "events": [types] if isinstance(types, str) else list(types),
            }
            for types, fn, how in offer.handlers
        ],
        "jobs": [f"{record.name}.{name}" for name, _, _ in offer.jobs],
        "schedules": [
            {"name": name, **{key: how[key] for key in ("job", "cron", "tz", "policy") if key in how}}
            for name, how in offer.schedules
        ],
        "commands": sorted(command.name for command in offer.commands),
        "pending_migrations": list(record.pending),
    }


def _manifest(manifest: Manifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "api": str(manifest.api),
        "urls": list(manifest.urls),
        "default": manifest.default,
        "after": list(manifest.after),
        "python": [str(requirement) for requirement in manifest.python],
    }


def _routes(record: Record, app: Flask) -> list[dict[str, Any]]:
    mine = {blueprint.name for blueprint in record.offer.blueprints}
    routes = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint.rpartition(".")[0].split(".")[0] in mine:
            access = access_of(app.view_functions[rule.endpoint])
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                permission = access.permission if access else None
                routes.append({"method": method, "path": rule.rule, "permission": permission})
    return sorted(routes, key=lambda route: (route["path"], route["method"]))
