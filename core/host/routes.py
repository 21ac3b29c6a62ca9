"""``/plugins``: what is here, and switching it for the whole instance."""

from __future__ import annotations

from typing import Any

from core.access import require
from core.web import Blueprint

from . import service
from .schemas import PluginDetail, PluginList, PluginOut, SwitchArguments

blp = Blueprint("plugins", url_prefix="/plugins")


@blp.get("")
@require("core.plugins.read")
@blp.response(200, PluginList)
def index() -> dict[str, Any]:
    """Every plugin on this machine: state, version, health, and why one failed."""
    return {"items": service.every(), "next_cursor": None}


@blp.get("/<string:name>")
@require("core.plugins.read")
@blp.response(200, PluginDetail)
def show(name: str) -> dict[str, Any]:
    """One plugin: manifest, hooks, routes, permissions, tables, jobs and events."""
    return service.one(name)


@blp.post("/<string:name>/enable")
@require("core.plugins.manage")
@blp.arguments(SwitchArguments, location="query")
@blp.response(202, PluginOut)
def enable(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    """Have it run. Answers 202 with state ``enabling``; it is ``active`` once processes have reloaded.

    409 managed_by_file; needs_plugins: it requires others, named, unless ?cascade=true.
    """
    return service.enable(name, cascade=arguments["cascade"])


@blp.post("/<string:name>/disable")
@require("core.plugins.manage")
@blp.arguments(SwitchArguments, location="query")
@blp.response(202, PluginOut)
def disable(arguments: dict[str, Any], name: str) -> dict[str, Any]:
    """Have it stop. Answers 202 with state ``disabling``; its data stays.

    409 managed_by_file; has_dependants: others require it, named, unless ?cascade=true.
    """
    return service.disable(name, cascade=arguments["cascade"])
