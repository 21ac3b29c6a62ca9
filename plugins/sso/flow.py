"""The authorization code flow (RFC 6749, 4.1) with PKCE (RFC 7636): to a provider, and what it says after."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import quote_plus, urlencode

from core.api import Forbidden, OutgoingError, Problem, get_logger, http_client, public_url

from . import id_token, tokens
from .attempts import Attempt
from .discovery import Metadata, discover
from .documents import MAX_BYTES, Unusable, parsed, unavailable
from .provider import Provider
from .tokens import BadToken

log = get_logger(__name__)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorization_url(provider: Provider, attempt: Attempt) -> str:
    """Where to send the browser. Raises ``Unavailable`` where the provider cannot be asked for it."""
    metadata = discover(provider.issuer)
    if metadata.authorization_endpoint is None or metadata.token_endpoint is None:
        raise unavailable()
    asked = {
        **provider.parameters,
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri(provider),
        "scope": " ".join(provider.scopes),
        "state": attempt.state,
    }
    if provider.nonce:
        asked["nonce"] = attempt.nonce
    if provider.pkce:
        asked |= {"code_challenge": challenge_of(attempt.verifier), "code_challenge_method": "S256"}
    joint = "&" if "?" in metadata.authorization_endpoint else "?"
    return f"{metadata.authorization_endpoint}{joint}{urlencode(asked)}"


def redirect_uri(provider: Provider) -> str:
    """Where the provider sends people back; never taken from a request's headers."""
    return provider.redirect_uri or f"{public_url()}/api/v1/auth/{provider.path}/callback"


def claims_of(provider: Provider, attempt: Attempt, given: dict[str, Any]) -> dict[str, Any]:
    """What the provider says of who came back with the query ``given``.

    Raises ``Problem``: 403 ``access_denied`` or 400 ``provider_error`` as the provider said, 401
    ``invalid_token`` for an answer that does not hold, 503 where it cannot be asked.
    """
    metadata = discover(provider.issuer)
    named = given.get("iss")
    if (named is None and metadata.names_itself) or named not in (None, provider.issuer):
        log.warning("an answer was refused", provider=provider.name, reason="another issuer's")
        raise tokens.refused()
    if "error" in given or "code" not in given:
        raise _denied(provider, given.get("error"))
    answer = _exchange(provider, metadata, attempt, given["code"])
    access_token = answer.get("access_token")
    try:
        if not isinstance(answer.get("id_token"), str) or not isinstance(access_token, str | None):
            raise BadToken("there is none")
        claims = id_token.read(
            answer["id_token"], provider, metadata, nonce=attempt.nonce, access_token=access_token
        )
    except BadToken as fault:
        log.warning("an id token was refused", provider=provider.name, reason=str(fault))
        raise tokens.refused() from None
    if "email" not in claims and metadata.userinfo_endpoint and access_token:
        claims = _completed(claims, metadata.userinfo_endpoint, access_token, provider)
    return claims


def _exchange(provider: Provider, metadata: Metadata, attempt: Attempt, code: str) -> dict[str, Any]:
    if metadata.token_endpoint is None:
        raise unavailable()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri(provider),
    }
    if provider.pkce:
        form["code_verifier"] = attempt.verifier
    headers = {"accept": "application/json", **_show_secret(provider, metadata, form)}
    try:
        with http_client(max_bytes=MAX_BYTES) as client:
            answer = client.post(metadata.token_endpoint, data=form, headers=headers)
        body = parsed(answer.content)
    except (OutgoingError, Unusable) as fault:
        log.warning("a provider did not exchange a code", provider=provider.name, reason=str(fault))
        raise unavailable() from None
    if answer.status_code != 200 or "error" in body:
        said = str(body.get("error"))[:100]
        log.warning(
            "a provider did not exchange a code",
            provider=provider.name,
            reason=f"{answer.status_code} {said}",
        )
        if answer.status_code >= 500:
            raise unavailable()
        raise Problem("The provider did not accept this answer of its own.", code="provider_error")
    return body


def _show_secret(provider: Provider, metadata: Metadata, form: dict[str, str]) -> dict[str, str]:
    """Show who we are, in ``form`` or in the headers returned (RFC 6749, 2.3.1)."""
    if provider.client_secret is None or provider.token_auth == "none":  # noqa: S105
        form["client_id"] = provider.client_id
        return {}
    secret = provider.client_secret.reveal()
    offered = provider.token_auth or next(
        (way for way in metadata.token_auth if way in ("client_secret_basic", "client_secret_post")),
        "client_secret_post",
    )
    if offered == "client_secret_post":
        form |= {"client_id": provider.client_id, "client_secret": secret}
        return {}
    pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret)}"
    return {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _completed(claims: dict[str, Any], url: str, access_token: str, provider: Provider) -> dict[str, Any]:
    """``claims`` with what the userinfo endpoint adds of the same person; as they are where it does not."""
    try:
        with http_client(max_bytes=MAX_BYTES) as client:
            answer = client.get(url, headers={"authorization": f"Bearer {access_token}"})
        said = parsed(answer.content) if answer.status_code == 200 else {}
    except (OutgoingError, Unusable) as fault:
        log.warning("userinfo cannot be had", provider=provider.name, reason=str(fault))
        return claims
    return {**said, **claims} if said.get("sub") == claims["sub"] else claims


def _denied(provider: Provider, error: object) -> Problem:
    if error == "access_denied":
        return Forbidden("The provider was not allowed to tell us who you are.", code="access_denied")
    log.warning("a provider answered an error", provider=provider.name, reason=str(error)[:100])
    return Problem("The provider answered with an error.", code="provider_error")
