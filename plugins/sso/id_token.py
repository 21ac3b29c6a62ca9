"""ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): what a provider says of who just signed in there."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from . import tokens
from .discovery import Metadata
from .provider import Provider
from .state import state
from .tokens import BadToken

MAX_AGE = 600
"""Seconds: a token that comes with the answer to our own request was made a moment ago."""


def read(
    token: str, provider: Provider, metadata: Metadata, *, nonce: str, access_token: str | None
) -> dict[str, Any]:
    """The claims of an ID token of ``provider`` for us. Raises ``BadToken``."""
    keys = state().keys
    find = tokens.finder(lambda: keys.get(metadata.jwks_uri), lambda: keys.again(metadata.jwks_uri))
    claims = tokens.signed_claims(token, find, types={"jwt"})
    if claims.get("iss") != provider.issuer:
        raise BadToken("issuer")
    _check_audience(claims, provider.client_id)
    tokens.check_times(claims, max_age=MAX_AGE)
    tokens.check_subject(claims)
    _check_nonce(claims, nonce, needed=provider.nonce)
    if "at_hash" in claims:
        _check_access_token(claims["at_hash"], access_token)
    return claims


def _check_audience(claims: dict[str, Any], client_id: str) -> None:
    meant = tokens.audiences(claims)
    party = claims.get("azp")
    if client_id not in meant:
        raise BadToken("audience")
    if (party is not None or len(meant) > 1) and party != client_id:
        raise BadToken("authorized party")


def _check_nonce(claims: dict[str, Any], nonce: str, *, needed: bool) -> None:
    given = claims.get("nonce")
    if given is None and not needed:
        return
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise BadToken("nonce")


def _check_access_token(given: object, access_token: str | None) -> None:
    """``at_hash``: the left half of SHA-256, the hash of both algorithms that are accepted."""
    if access_token is None or not isinstance(given, str):
        raise BadToken("at_hash")
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    right = base64.urlsafe_b64encode(half).rstrip(b"=")
    if not hmac.compare_digest(given.encode(), right):
        raise BadToken("at_hash")
