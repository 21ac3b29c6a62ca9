"""Outside ``/api/v1``: the key set, and forms without JavaScript for the first admin and a new password."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path

from flask import Response, jsonify, request
from jinja2 import Environment, FileSystemLoader, Template, select_autoescape
from marshmallow import ValidationError

from core.access import public
from core.errors import Invalid, Problem
from core.web import Blueprint, body_limit, costly

from . import links, rates, recovery, setup
from .asking import caller
from .routes import SMALL
from .schemas import ResetPasswordIn, SetupIn
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
        return _page("setup", "closed", status=403)
    return _page("setup", "form", token=token, values={}, faults={})


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
        return _page("setup", "form", status=422, token=given["token"], values=given, faults=_faults(wrong))
    except Problem as refused:
        if refused.code != "setup_closed":
            raise
        return _page("setup", "closed", status=403)
    return _page("setup", "done", status=201, email=user.email)


@pages.get(links.PATH)
@public
def show_reset() -> Response:
    """The form behind the link in a mail. Looking at it uses nothing up: mail scanners do."""
    token = request.args.get("token", "")
    if links.proven(token) is None:
        return _page("reset", "closed", status=403)
    return _page("reset", "form", token=token, faults={})


@pages.post(links.PATH)
@public
@rates.others
@costly
@body_limit(SMALL)
def submit_reset() -> Response:
    """What the form sends: the same as ``PUT /api/v1/auth/reset-password``, answered by a page."""
    given = {key: request.form.get(key, "") for key in ("token", "newPassword")}
    proof = links.proven(given["token"])
    if proof is None:
        return _page("reset", "closed", status=403)
    try:
        recovery.reset(proof, new=ResetPasswordIn().load(given)["new_password"], ip=caller().ip)
    except (ValidationError, Invalid) as wrong:
        return _page("reset", "form", status=422, token=given["token"], faults=_faults(wrong))
    except Problem as refused:
        if refused.code != "invalid_code":
            raise
        return _page("reset", "closed", status=403)
    return _page("reset", "done")


def _faults(wrong: ValidationError | Invalid) -> dict[str, str]:
    """What to say beside each field of a form."""
    found = wrong.messages if isinstance(wrong, ValidationError) else dict(wrong.errors or {})
    return {key: " ".join(map(str, found[key])) for key in found} if isinstance(found, dict) else {}


def _page(name: str, state: str, *, status: int = 200, **values: object) -> Response:
    nonce = secrets.token_urlsafe(16)
    text = _template(name).render(state=state, nonce=nonce, **values)
    response = Response(text, status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"  # the address carries the token
    return response


@cache
def _template(name: str) -> Template:
    folder = FileSystemLoader(Path(__file__).with_name("templates"))
    environment = Environment(
        loader=folder, autoescape=select_autoescape(default_for_string=True, default=True)
    )
    return environment.get_template(f"{name}.html")
