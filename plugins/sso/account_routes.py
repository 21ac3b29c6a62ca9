"""``/auth/providers``, ``/auth/token-exchange`` and ``/auth/identities``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import (
    Blueprint,
    NotFound,
    Select,
    body_limit,
    check_origin,
    confirm_fresh,
    give_cookies,
    prepare_sign_in,
    principal,
    public,
    require,
    sign_in,
    signed_in,
)

from . import entry_codes, external, identities, linking
from .journey import AMR
from .models import Identity
from .provider import providers, token_issuers
from .schemas import ExchangeIn, IdentityOut, ProvidersOut, TokenIn

blp = Blueprint("sso_accounts", url_prefix="/auth")
SMALL = 32_768
"""Bytes of a body here: room for one token."""

_API = "/api/v1/auth"


@blp.get("/providers")
@public
@blp.response(200, ProvidersOut())
def index() -> dict[str, Any]:
    """Every way to sign in here, for a log-in page to draw."""
    password = {"name": "password", "type": "password", "title": "Password", "url": f"{_API}/login"}
    items = [{**password, "issuer": None}]
    for each in providers().values():
        url = f"{_API}/{each.path}"
        items.append(
            {"name": each.name, "type": "redirect", "title": each.title, "url": url, "issuer": each.issuer}
        )
    for issuer in token_issuers().values():
        url = f"{_API}/token-exchange"
        items.append(
            {"name": issuer.name, "type": "token", "title": issuer.name, "url": url, "issuer": issuer.issuer}
        )
    return {"items": items}


@blp.post("/token-exchange")
@public
@body_limit(SMALL)
@blp.arguments(ExchangeIn())
@blp.response(200, signed_in())
def exchange(data: dict[str, Any]) -> dict[str, Any]:
    """Begin a session with the code one landed with, or with a token of an issuer the operator named.

    400 `invalid_code`, 401 `invalid_token`; 403 `link_required` where the address has an account that
    the issuer's word alone does not open. Answers as `POST /auth/login` does, second step included.
    """
    if data["cookies"]:
        check_origin()  # or another site could sign its visitors in as somebody else
    prepare_sign_in()
    if "code" in data:
        tokens = entry_codes.exchange(data["code"], data["code_verifier"])
    else:
        issuer, claims = external.read(data["token"])
        tokens = sign_in(linking.enter(issuer, claims), amr=AMR)
    return give_cookies(tokens) if data["cookies"] else tokens


@blp.get("/identities")
@require("sso.identity.read")
@blp.page(IdentityOut, sort=("-createdAt",))
def mine() -> Select[Identity]:
    """My accounts elsewhere that let me in here, newest first."""
    return identities.mine()


@blp.post("/identities")
@require("sso.identity.write")
@body_limit(SMALL)
@blp.arguments(TokenIn())
@blp.response(204)
def add(data: dict[str, Any]) -> None:
    """Link the account that a token of an issuer the operator named is about.

    401 `invalid_token`, 403 `fresh_login_required`, 409 `identity_taken`.
    """
    confirm_fresh()
    issuer, claims = external.read(data["token"])
    user_id = principal().user_id
    if user_id is None:
        raise NotFound
    linking.link(user_id, issuer, claims)


@blp.delete("/identities/<uuid:id>")
@require("sso.identity.write")
@blp.response(204)
def remove(id: UUID) -> None:
    """Take one off; every other session ends. 403 `fresh_login_required`, 409 `last_way_in`."""
    confirm_fresh()
    identities.unlink(id)
