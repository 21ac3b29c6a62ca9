"""``/job-postings``: what the sources told, for whoever may read."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import Blueprint, Select, require, select
from plugins.job_boards import results
from plugins.job_boards.models import Posting
from plugins.job_boards.schemas import PostingOut, SearchOut, SearchQuery, filters_of

blp = Blueprint("job_postings", url_prefix="/job-postings")


@blp.get("/search")
@require("job_boards.posting.read")
@blp.arguments(SearchQuery, location="query")
@blp.response(200, SearchOut)
def search(given: dict[str, Any]) -> dict[str, Any]:
    """Postings that are open, newest first. 422 for a filter that cannot be."""
    return results.search(filters_of(given), limit=given["limit"], cursor=given["cursor"], page=given["page"])


@blp.get("/<uuid:id>")
@require("job_boards.posting.read")
@blp.response(200, PostingOut)
def show(id: UUID) -> Select[Posting]:
    """One posting, also when it has expired. 404 unknown."""
    return select(Posting).where(Posting.id == id)
