"""LinkedIn: what its OpenID Connect does otherwise than the standard.

It wants the secret in the body (its document names no way, and refuses the standard's default), leaves
the nonce out of its tokens, answers ``invalid_client`` to PKCE unless it was enabled for the app, and
writes ``email_verified`` as a text in id tokens.
https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ISSUER = "https://www.linkedin.com/oauth"
TOKEN_AUTH = "client_secret_post"  # noqa: S105  the name of a method


def verified(claims: Mapping[str, Any]) -> bool:
    """Whether LinkedIn says that the address was verified."""
    return claims.get("email_verified") in (True, "true")
