"""Mails with made-up values: to look at, and to send to oneself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import NotFound, enqueue, find_user, organisation_id, principal, uuid7

from .editing import filled, kind, origin, texts
from .overrides import canonical, chosen, source_of
from .render import SHIPPED_LOCALE, Source, render, shipped
from .service import site


def preview(template: str, *, locale: str | None = None, **draft: str) -> dict[str, Any]:
    """What a mail would look like: of ``draft`` (subject, text, html, each if given), or of what is said now.

    Raises ``NotFound``, and ``Invalid`` naming the part and line that is wrong.
    """
    known = kind(template)
    row = chosen(template, locale or SHIPPED_LOCALE, organisation_id())
    said = source_of(row) if row is not None else shipped(template)
    if draft:
        source = Source(**{**texts(said), "locale": canonical(locale or said.locale), **draft})
        content, whose = filled(known, source), "draft"
    elif row is not None:
        source, content, whose = said, filled(known, said), origin(row)
    else:
        source, content, whose = said, render(template, {**known.sample, **site()}), origin(None)
    return {
        "subject": content.subject,
        "text": content.text,
        "html": content.html,
        "locale": source.locale,
        "source": whose,
    }


def send_sample(template: str, locale: str | None) -> UUID:
    """Have the mail sent to the caller; answers its key, which is its delivery's id. Raises ``NotFound``."""
    known = kind(template)
    user_id = principal().user_id
    me = find_user(user_id) if user_id is not None else None
    if me is None:
        raise NotFound
    key = uuid7()
    arguments = {
        "to": me.email,
        "template": template,
        "context": dict(known.sample),
        "key": str(key),
        "locale": locale or me.locale,
    }
    enqueue("mail.send", arguments)
    return key
