"""Who may vouch for people here: providers that one signs in at, and issuers whose tokens are exchanged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.api import Secret, settings

from .providers import clerk, google, linkedin

Claims = Mapping[str, Any]


def _always(_claims: Claims) -> bool:
    return True


def verified(claims: Claims) -> bool:
    """Whether the claims say that the address was verified. Nothing but ``true`` says so."""
    return claims.get("email_verified") is True


@dataclass(frozen=True)
class Voucher:
    """Somebody whose word on people counts here.

    ``name`` is kept with what is linked, ``authoritative`` is the operator's decision that an address
    this issuer keeps is entered on its word alone. ``admits``, ``keeps`` and ``verified`` read claims.
    """

    name: str
    issuer: str
    sign_up: bool
    authoritative: bool
    admits: Callable[[Claims], bool] = _always
    keeps: Callable[[Claims], bool] = _always
    verified: Callable[[Claims], bool] = verified


@dataclass(frozen=True)
class Provider(Voucher):
    """One that people are sent to (authorization code flow). ``path`` stands behind ``/auth/``."""

    path: str = ""
    title: str = ""
    client_id: str = ""
    client_secret: Secret | None = None
    scopes: tuple[str, ...] = ("openid",)
    redirect_uri: str | None = None
    token_auth: str | None = None
    pkce: bool = True
    nonce: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class TokenIssuer(Voucher):
    """One whose tokens for ``audience`` are exchanged for sessions; ``max_age`` in seconds."""

    audience: str = ""
    jwks_url: str | None = None
    parties: tuple[str, ...] = ()
    max_age: int = 3600
    accept_bearer: bool = False


def providers() -> dict[str, Provider]:
    """Every provider of this instance by its path: ``google``, ``linkedin``, ``oidc/<slug>``."""
    chosen = settings("sso")
    found = []
    if chosen["google"]["client_id"]:
        found.append(_google(chosen["google"]))
    if chosen["linkedin"]["client_id"]:
        found.append(_linkedin(chosen["linkedin"]))
    found += [_oidc(slug, each) for slug, each in chosen["oidc"].items()]
    return {provider.path: provider for provider in found}


def token_issuers() -> dict[str, TokenIssuer]:
    """Every issuer of exchanged tokens by its ``iss``."""
    chosen = settings("sso")
    found = [_issuer(name, each["issuer"], each) for name, each in chosen["tokens"].items()]
    if key := chosen["clerk"]["publishable_key"]:
        found.append(_issuer("clerk", clerk.issuer_of(key), chosen["clerk"]))
    return {each.issuer: each for each in found}


def known_issuers() -> set[str]:
    """Issuers by which somebody can get in at present."""
    return {provider.issuer for provider in providers().values()} | set(token_issuers())


def _common(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "issuer": chosen["issuer"],
        "sign_up": chosen["sign_up"],
        "authoritative": chosen["email_authoritative"],
        "client_id": chosen["client_id"],
        "client_secret": chosen["client_secret"],
        "scopes": tuple(chosen["scopes"]),
        "redirect_uri": chosen["redirect_uri"],
    }


def _google(chosen: Mapping[str, Any]) -> Provider:
    domains = chosen["hosted_domains"]
    return Provider(
        name="google",
        path="google",
        title="Google",
        token_auth=google.TOKEN_AUTH,
        parameters=google.parameters(domains),
        admits=lambda claims: google.admits(claims, domains),
        keeps=google.keeps,
        **_common(chosen),
    )


def _linkedin(chosen: Mapping[str, Any]) -> Provider:
    return Provider(
        name="linkedin",
        path="linkedin",
        title="LinkedIn",
        token_auth=linkedin.TOKEN_AUTH,
        pkce=chosen["pkce"],
        nonce=False,
        verified=linkedin.verified,
        **_common(chosen),
    )


def _oidc(slug: str, chosen: Mapping[str, Any]) -> Provider:
    return Provider(
        name=f"oidc/{slug}",
        path=f"oidc/{slug}",
        title=chosen["title"] or slug,
        token_auth=chosen["token_auth"],
        **_common(chosen),
    )


def _issuer(name: str, issuer: str, chosen: Mapping[str, Any]) -> TokenIssuer:
    return TokenIssuer(
        name=name,
        issuer=issuer,
        sign_up=chosen["sign_up"],
        authoritative=chosen["email_authoritative"],
        audience=chosen["audience"],
        jwks_url=chosen["jwks_url"],
        parties=tuple(chosen["authorized_parties"]),
        max_age=chosen["max_age"],
        accept_bearer=chosen["accept_bearer"],
    )
