"""``/job-alerts``: the caller's own, in the organisation acted for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import Blueprint, Select, require
from plugins.job_boards import alerts, results
from plugins.job_boards.models import Alert, Posting
from plugins.job_boards.schemas import AlertChange, AlertIn, AlertOut, PostingSummary, SearchOut, filters_of
from plugins.job_boards.search import Filters

blp = Blueprint("job_alerts", url_prefix="/job-alerts")


@blp.get("")
@require("job_boards.alert.read")
@blp.page(AlertOut, sort=("-createdAt", "name"))
def index() -> Select[Alert]:
    """My alerts, newest first."""
    return alerts.mine()


@blp.post("")
@require("job_boards.alert.write")
@blp.arguments(AlertIn)
@blp.response(201, AlertOut)
def create(given: dict[str, Any]) -> Alert:
    """Be told of new postings. 409 where I have a hundred alerts."""
    return alerts.add(**{**given, "filters": filters_of(given["filters"])})


@blp.get("/<uuid:id>")
@require("job_boards.alert.read")
@blp.response(200, AlertOut)
def show(id: UUID) -> Select[Alert]:
    """One of mine."""
    return alerts.mine().where(Alert.id == id)


@blp.put("/<uuid:id>")
@require("job_boards.alert.write")
@blp.arguments(AlertChange)
@blp.response(200, AlertOut)
def change(given: dict[str, Any], id: UUID) -> Alert:
    """Change what is named; the rest stays. 404 where it is not mine."""
    if "filters" in given:
        given["filters"] = filters_of(given["filters"])
    return alerts.change(id, given)


@blp.delete("/<uuid:id>")
@require("job_boards.alert.write")
@blp.response(204)
def remove(id: UUID) -> None:
    """Delete it and its matches. 404 where it is not mine."""
    alerts.remove(id)


@blp.post("/<uuid:id>/preview")
@require("job_boards.alert.read")
@blp.response(200, SearchOut)
def preview(id: UUID) -> dict[str, Any]:
    """What is there now that it would find; nothing is sent. 404 where it is not mine."""
    return results.search(Filters.from_json(alerts.get(id).filters))


@blp.get("/<uuid:id>/matches")
@require("job_boards.alert.read")
@blp.page(PostingSummary, sort=("-postedAt", "-createdAt"))
def matches(id: UUID) -> Select[Posting]:
    """New postings that it has found so far. 404 where it is not mine."""
    return alerts.matched(id)
