"""Headers that every answer carries."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g

from core import context

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
    ]
    if public_url and public_url.startswith("https://"):
        fixed.append(("Strict-Transport-Security", _HSTS))
    web(app).caches["headers"] = fixed


def page_nonce() -> str:
    """The nonce of the page being answered, for its inline scripts and styles; marks it as a page.

    Pages may load scripts, styles, images and data from this origin and nothing else. What does not
    ask for a nonce is taken for data: a browser may run and load nothing from it.
    """
    nonce: str | None = g.get("page_nonce")
    if nonce is None:
        nonce = g.page_nonce = secrets.token_urlsafe(16)
    return nonce


def apply(response: Response) -> None:
    """Add what the view did not set itself."""
    headers = response.headers
    for name, value in web().caches["headers"]:
        if name not in headers:
            headers[name] = value
    headers["X-Request-Id"] = context.request_id() or ""
    if "Content-Security-Policy" not in headers:
        nonce = g.get("page_nonce")
        headers["Content-Security-Policy"] = _PAGE_CSP.format(nonce=nonce) if nonce else _API_CSP
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
