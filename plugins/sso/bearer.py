"""Tokens of issuers marked ``accept_bearer``, accepted as they are on any route."""

from __future__ import annotations

from flask import Request

from core.api import Principal, begin

from . import external, linking


def recognise(request: Request) -> Principal | None:
    """Whoever a bearer token of such an issuer lets in; ``None`` where it is of nobody we know.

    Raises ``Unauthorized`` for a token that claims to be of such an issuer and does not hold.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    issuer = external.issuer_of(token.strip())
    if issuer is None or not issuer.accept_bearer:
        return None
    issuer, claims = external.read(token.strip())
    with begin(write=False):
        user_id = linking.holder(issuer.issuer, claims["sub"])
    return Principal(kind="user", user_id=user_id) if user_id is not None and issuer.admits(claims) else None
