"""A route that does not say who may call it; everything else is in order."""

from __future__ import annotations

from core.api import Blueprint, hookimpl, require

blp = Blueprint("broken_access", url_prefix="/broken-access")


@blp.get("")
@require("broken_access.thing.read")
def fine():
    return {}


@blp.get("/open")
def forgotten():
    return {}


def tidy():
    return None


@hookimpl
def register_jobs(job):
    job("tidy", tidy)


@hookimpl
def register_blueprints():
    return [blp]


@hookimpl
def health():
    return {"status": "ok"}
