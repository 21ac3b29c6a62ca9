"""Pages outside ``/api/v1``: the key set, and the form that makes the first admin without JavaScript."""

from __future__ import annotations

import secrets
from functools import lru_cache
from pathlib import Path

from flask import Response, jsonify, request
from jinja2 import Environment, Template, select_autoescape
from marshmallow import ValidationError

from core.access import public
from core.errors import Invalid, Problem
from core.web import Blueprint, body_limit, costly

from . import rates, setup
from .routes import SMALL
from .schemas import SetupIn
from .state import auth

pages = Blueprint("auth_pages")
_FIELDS = ("token", "email", "password", "name")


@pages.get("/.well-known/jwks.json")
@public
def jwks() -> Response:
    """The public keys that access tokens are signed with (RFC 7517)."""
    response = jsonify(auth().keys.published())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@pages.get("/setup")
@public
def show_setup() -> Response:
    """The form behind the one-time link."""
    token = request.args.get("token", "")
    if not setup.link_holds(token):
        return _page("closed", status=403)
    return _page("form", token=token, values={}, faults={})


@pages.post("/setup")
@public
@costly
@rates.others
@body_limit(SMALL)
def submit_setup() -> Response:
    """What the form sends: the same as ``POST /api/v1/auth/setup``, answered by a page."""
    given = {key: request.form.get(key, "") for key in _FIELDS}
    try:
        user = setup.complete(**SetupIn().load(given))
    except (ValidationError, Invalid) as wrong:
        found = wrong.messages if isinstance(wrong, ValidationError) else dict(wrong.errors or {})
        faults = {key: " ".join(map(str, found[key])) for key in found} if isinstance(found, dict) else {}
        return _page("form", status=422, token=given["token"], values=given, faults=faults)
    except Problem as refused:
        if refused.code != "setup_closed":
            raise
        return _page("closed", status=403)
    return _page("done", status=201, email=user.email)


def _page(state: str, *, status: int = 200, **values: object) -> Response:
    nonce = secrets.token_urlsafe(16)
    response = Response(_template().render(state=state, nonce=nonce, **values), status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address carries the token
    return response


@lru_cache(maxsize=1)
def _template() -> Template:
    text = Path(__file__).with_name("templates").joinpath("setup.html").read_text("utf-8")
    return Environment(autoescape=select_autoescape(default_for_string=True, default=True)).from_string(text)
