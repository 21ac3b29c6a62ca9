"""``/api/v1/roles`` and ``/api/v1/permissions``: parse, call, return."""

from __future__ import annotations

from typing import Any

from core.access import permissions, require
from core.web import Blueprint

from . import roles
from .schemas import PermissionList, RoleChange, RoleIn, RoleList, RoleOut

blp = Blueprint("roles")


@blp.get("/roles")
@require("core.role.read")
@blp.response(200, RoleList())
def index() -> dict[str, Any]:
    """Roles of the instance with what they hold: those that come with it, then those that were made."""
    return {"items": roles.every(), "next_cursor": None}


@blp.post("/roles")
@require("core.role.write")
@blp.arguments(RoleIn())
@blp.response(201, RoleOut())
def create(data: dict[str, Any]) -> dict[str, Any]:
    """Make a role of permissions that one holds oneself. 409 a name that is taken."""
    return roles.shown(roles.create(**data))


@blp.put("/roles/<string:role>")
@require("core.role.write")
@blp.arguments(RoleChange())
@blp.response(200, RoleOut())
def change(data: dict[str, Any], role: str) -> dict[str, Any]:
    """Change a role, by id or name; in force for all who hold it within five seconds. 409 `built_in`."""
    return roles.shown(roles.change(role, data))


@blp.delete("/roles/<string:role>")
@require("core.role.write")
@blp.response(204)
def remove(role: str) -> None:
    """Delete a role and take it from all who hold it. 409 `built_in`."""
    roles.remove(role)


@blp.get("/permissions")
@require("core.role.read")
@blp.response(200, PermissionList())
def registry() -> dict[str, Any]:
    """Every permission with the plugin that declares it."""
    items = [
        {"name": p.name, "plugin": p.plugin, "summary": p.summary, "roles": sorted(p.roles)}
        for p in permissions()
    ]
    return {"items": items, "next_cursor": None}
