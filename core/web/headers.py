"""Headers that every answer carries."""

from __future__ import annotations

import secrets

from flask import Flask, g

from core import context

from . import limits
from .state import web

_API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_PAGE_CSP = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HSTS = "max-age=31536000; includeSubDomains"


def init_app(app: Flask, public_url: str | None) -> None:
    """Choose the headers that depend on how this instance is reached."""
    fixed = [
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Frame-Options", "DENY"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-store"),
    ]
    if public_url and public_url.startswith("https://"):
        fixed.append(("Strict-Transport-Security", _HSTS))
    web(app).caches["headers"] = [(name.lower(), (name, value)) for name, value in fixed]


def page_nonce() -> str:
    """The nonce of the page being answered, for its inline scripts and styles; marks it as a page.

    Pages may load scripts, styles, images and data from this origin and nothing else. What does not
    ask for a nonce is taken for data: a browser may run and load nothing from it.
    """
    nonce: str | None = g.get("page_nonce")
    if nonce is None:
        nonce = g.page_nonce = secrets.token_urlsafe(16)
    return nonce


def complete(headers: list[tuple[str, str]]) -> None:
    """Add, to those of an answer about to leave, what its view did not set itself."""
    nonce = g.get("page_nonce")
    # on the plain list: werkzeug's Headers walks through all of them for each question
    there = {name.lower() for name, _ in headers}
    for lower, pair in web().caches["headers"]:
        if lower not in there:
            headers.append(pair)
    if "ratelimit" not in there:
        headers.extend(limits.headers())
    headers.append(("X-Request-Id", context.request_id() or ""))
    if "content-security-policy" not in there:
        headers.append(("Content-Security-Policy", _PAGE_CSP.format(nonce=nonce) if nonce else _API_CSP))
