"""Discovery documents (OpenID Connect Discovery 1.0): where an issuer's endpoints are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from core.api import get_logger

from .documents import Unusable, unavailable
from .state import state

log = get_logger(__name__)


@dataclass(frozen=True)
class Metadata:
    """What we need of an issuer's discovery document."""

    issuer: str
    authorization_endpoint: str | None
    token_endpoint: str | None
    userinfo_endpoint: str | None
    jwks_uri: str
    token_auth: tuple[str, ...]
    names_itself: bool
    """Whether the issuer promises ``iss`` in its answers (RFC 9207)."""


def discover(issuer: str) -> Metadata:
    """Where ``issuer`` is to be found. Raises ``Unavailable`` where its document cannot be had.

    The document must name the very issuer it was asked for, or one issuer could pose as another.
    """
    document = state().metadata.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    try:
        return _metadata(document, issuer)
    except Unusable as fault:
        log.error("an issuer's discovery document cannot be used", issuer=issuer, reason=str(fault))
        raise unavailable() from None


def _metadata(document: dict[str, Any], issuer: str) -> Metadata:
    if document.get("issuer") != issuer:
        raise Unusable("it names another issuer")
    jwks_uri = _endpoint(document, "jwks_uri", issuer)
    if jwks_uri is None:
        raise Unusable("it names no jwks_uri")
    methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not isinstance(methods, list):
        raise Unusable("token_endpoint_auth_methods_supported is no list")
    return Metadata(
        issuer=issuer,
        authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(document, "token_endpoint", issuer),
        userinfo_endpoint=_endpoint(document, "userinfo_endpoint", issuer),
        jwks_uri=jwks_uri,
        token_auth=tuple(map(str, methods)),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: dict[str, Any], name: str, issuer: str) -> str | None:
    """An address the document names. Whether it may be called, the guarded client decides; browsers
    are sent to https, or to plain http where the operator wrote the issuer so."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.isascii() or any(ord(c) <= 32 or c == "\\" for c in value):
        raise Unusable(f"{name} is no address")
    try:
        parts = urlsplit(value)
    except ValueError:
        raise Unusable(f"{name} is no address") from None
    if parts.scheme not in {"https", urlsplit(issuer).scheme} or not parts.hostname:
        raise Unusable(f"{name} is no address to go to")
    if parts.username is not None or parts.fragment:
        raise Unusable(f"{name} is no address to go to")
    return value
