"""``/job-sources`` for everybody, ``/admin/job-sources`` for whoever keeps them going."""

from __future__ import annotations

from typing import Any

from core.api import Blueprint, NotFound, require
from plugins.job_boards import jobs, sources
from plugins.job_boards.schemas import AdminSourceOut, AdminSourcesOut, RunOut, SourcesOut

blp = Blueprint("job_sources", url_prefix="/job-sources")
admin = Blueprint("admin_job_sources", url_prefix="/admin/job-sources")


@blp.get("")
@require("job_boards.source.read")
@blp.response(200, SourcesOut)
def index() -> dict[str, Any]:
    """Where postings come from, whom to thank, and whether it works."""
    return {"items": sources.listed()}


@admin.get("")
@require("job_boards.source.manage")
@admin.response(200, AdminSourcesOut)
def admin_index() -> dict[str, Any]:
    """The same with addresses, errors and counts."""
    return {"items": sources.listed()}


@admin.get("/<name>")
@require("job_boards.source.manage")
@admin.response(200, AdminSourceOut)
def admin_show(name: str) -> dict[str, Any]:
    """One source."""
    return sources.described(_source(name), sources.health().get(name))


@admin.post("/<name>/run")
@require("job_boards.source.manage")
@admin.response(202, RunOut)
def run(name: str) -> dict[str, Any]:
    """Fetch from it now, whatever its pause; a fetch under way is left to end."""
    return {"task_id": jobs.start(_source(name).name, force=True), "source": name}


def _source(name: str) -> sources.Source:
    found = sources.sources().get(name)
    if found is None:
        raise NotFound
    return found
