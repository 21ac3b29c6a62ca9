"""Google: who may come in by Workspace domain, and for which addresses its word counts.

https://developers.google.com/identity/openid-connect/openid-connect
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ISSUER = "https://accounts.google.com"
TOKEN_AUTH = "client_secret_post"  # noqa: S105  the name of a method
_KEPT_BY_GOOGLE = ("@gmail.com", "@googlemail.com")


def parameters(hosted_domains: Sequence[str]) -> dict[str, str]:
    """What the authorization request says of Workspace domains; Google only takes it as a hint."""
    if not hosted_domains:
        return {}
    return {"hd": hosted_domains[0] if len(hosted_domains) == 1 else "*"}


def admits(claims: Mapping[str, Any], hosted_domains: Sequence[str]) -> bool:
    """Whether the person belongs to one of these domains. Only ``hd`` tells, never the address's end."""
    return not hosted_domains or claims.get("hd") in hosted_domains


def keeps(claims: Mapping[str, Any]) -> bool:
    """Whether Google itself keeps the address: others can change hands without Google hearing of it."""
    email = claims.get("email")
    return isinstance(email, str) and (email.casefold().endswith(_KEPT_BY_GOOGLE) or bool(claims.get("hd")))
