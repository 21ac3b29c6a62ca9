"""Tokens of issuers that sign people in elsewhere (Clerk, Auth0, Firebase), brought to us by their bearer."""

from __future__ import annotations

from typing import Any

from core.api import get_logger

from . import tokens
from .discovery import discover
from .provider import TokenIssuer, token_issuers
from .state import state
from .tokens import BadToken, Find

log = get_logger(__name__)


def issuer_of(token: str) -> TokenIssuer | None:
    """The issuer a token claims to come from, where it is one of ours."""
    claimed = tokens.claimed_issuer(token)
    return token_issuers().get(claimed) if claimed is not None else None


def read(token: str) -> tuple[TokenIssuer, dict[str, Any]]:
    """Who issued ``token``, and its claims. Raises ``Unauthorized`` alike for every fault."""
    issuer = issuer_of(token)
    if issuer is None:
        raise tokens.refused()
    try:
        return issuer, _claims(token, issuer)
    except BadToken as fault:
        log.warning("a token was refused", issuer=issuer.name, reason=str(fault))
        raise tokens.refused() from None


def _claims(token: str, issuer: TokenIssuer) -> dict[str, Any]:
    claims = tokens.signed_claims(token, _finder(issuer), types={"jwt", "at+jwt"})
    if claims.get("iss") != issuer.issuer:
        raise BadToken("issuer")
    if issuer.audience not in tokens.audiences(claims):
        raise BadToken("audience")
    party = claims.get("azp")
    if party is not None and party not in (issuer.audience, *issuer.parties):
        raise BadToken("authorized party")
    tokens.check_times(claims, max_age=issuer.max_age)
    tokens.check_subject(claims)
    return claims


def _finder(issuer: TokenIssuer) -> Find:
    keys = state().keys
    url = issuer.jwks_url or discover(issuer.issuer).jwks_uri
    return tokens.finder(lambda: keys.get(url), lambda: keys.again(url))
