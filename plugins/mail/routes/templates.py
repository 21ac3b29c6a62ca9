"""``/admin/templates``: what mails say, for the organisation acted for."""

from __future__ import annotations

from typing import Any

from core.api import Blueprint, require
from plugins.mail import editing, preview
from plugins.mail.schemas import (
    LocaleQuery,
    PreviewIn,
    PreviewOut,
    SampleIn,
    SampleOut,
    TemplateIn,
    TemplateOut,
    TemplatesOut,
)

blp = Blueprint("admin_mail_templates", url_prefix="/admin/templates")


@blp.get("")
@require("mail.template.read")
@blp.response(200, TemplatesOut)
def index() -> dict[str, Any]:
    """Every template, and in which languages this organisation says something else."""
    return {"items": editing.listed(), "next_cursor": None}


@blp.get("/<key>")
@require("mail.template.read")
@blp.arguments(LocaleQuery, location="query")
@blp.response(200, TemplateOut)
def show(query: dict[str, Any], key: str) -> dict[str, Any]:
    """One template as a reader of ``locale`` gets it: source, variables, languages and older versions."""
    return editing.shown(key, query.get("locale"))


@blp.put("/<key>")
@require("mail.template.write")
@blp.arguments(TemplateIn)
@blp.response(200, TemplateOut)
def write(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Say this instead, in one language, as a new version. 422 names the part and line that is wrong."""
    return editing.write(key, **data)


@blp.delete("/<key>")
@require("mail.template.write")
@blp.arguments(LocaleQuery, location="query")
@blp.response(204)
def revert(query: dict[str, Any], key: str) -> None:
    """Say what is shipped again, in ``locale`` or in every language."""
    editing.revert(key, query.get("locale"))


@blp.post("/<key>/preview")
@require("mail.template.read")
@blp.arguments(PreviewIn, required=False)
@blp.response(200, PreviewOut)
def show_filled(data: dict[str, Any], key: str) -> dict[str, Any]:
    """The mail with made-up values; of a draft, where parts of one are given."""
    return preview.preview(key, **data)


@blp.post("/<key>/test-send")
@require("mail.template.write")
@blp.arguments(SampleIn, required=False)
@blp.response(202, SampleOut)
def send_sample(data: dict[str, Any], key: str) -> dict[str, Any]:
    """Send the mail with made-up values to me. ``deliveryId`` is its id among the deliveries."""
    return {"delivery_id": preview.send_sample(key, data.get("locale"))}
