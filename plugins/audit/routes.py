"""``/audit`` and ``/me/audit``: reading, exporting and verifying; nobody writes here."""

from __future__ import annotations

from typing import Any

from flask import Response

from core.api import Blueprint, Select, require, select

from . import export, heads, service
from .models import Entry
from .schemas import ChainQuery, EntryFilter, EntryOut, ExportQuery, OwnPage, OwnQuery, ReportOut
from .verify import Report, verify

blp = Blueprint("audit")


@blp.get("/audit")
@require("audit.entry.read")
@blp.page(EntryOut, sort=("-seq",), filters=EntryFilter)
def index() -> Select[Entry]:
    """What happened, the newest first: in the organisation acted for, or on the instance."""
    return select(service.chosen(None))


@blp.get("/audit/export")
@require("audit.entry.read")
@blp.arguments(ExportQuery, location="query")
@blp.response(200)
def download(query: dict[str, Any]) -> Response:
    """The same as a file, CSV or JSON lines, the oldest first, at most 5,000 rows.

    Where there are more the answer has `X-Next-After`: the `after` of the next file.
    """
    kind = service.chosen(query["chain"])
    rows = service.exported(kind, after=query["after"], since=query["from_"], until=query["to"])
    return export.answer(rows, query["format"])


@blp.get("/audit/verify")
@require("audit.entry.read")
@blp.arguments(ChainQuery, location="query")
@blp.response(200, ReportOut)
def check(query: dict[str, Any]) -> Report:
    """Walk the whole chain and tell the first row that is missing, changed, moved or cut off.

    409 `too_long` for more than 50,000 rows: `jobstead audit verify` takes its time.
    """
    chain = service.name_of(service.chosen(query["chain"]))
    service.check_length(chain)
    return verify(chain, heads.read().of(chain))


@blp.get("/me/audit")
@require("audit.own.read")
@blp.arguments(OwnQuery, location="query")
@blp.response(200, OwnPage)
def own(query: dict[str, Any]) -> dict[str, Any]:
    """What I did and what was done to me: on the instance, and in the organisation acted for."""
    return service.mine(**query)
