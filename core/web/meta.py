"""What a client wants to know before anybody signs in: version, plugins, features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from core import __version__
from core.access import public
from core.context import organisation_id
from core.switch import active, switch

from .blueprint import Blueprint
from .state import web

blp = Blueprint("meta", __name__)


def add_fact(app: Flask, key: str, fact: Callable[[], Any]) -> None:
    """Let ``/api/v1/meta`` carry ``key`` with what ``fact`` returns: public, so nothing secret."""
    web(app).facts[key] = fact


def serving() -> list[dict[str, str]]:
    """The plugins that serve the organisation in scope, or the instance where there is none.

    Each has an ``id``, and what the fact ``plugins`` knows of it besides.
    """
    organisation = organisation_id()
    known = {plugin["id"]: plugin for plugin in web().facts["plugins"]()}
    return [known.get(name, {"id": name}) for name in sorted(switch().defaults) if active(name, organisation)]


@blp.get("/meta")
@public
@blp.response(200)
def meta() -> dict[str, Any]:
    """Version, plugins that serve, and what else a front end needs to know."""
    facts = {key: fact() for key, fact in web().facts.items()}
    return {"name": "Jobstead", "version": __version__, **facts, "plugins": serving()}
