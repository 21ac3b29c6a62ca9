"""Tokens that others signed (JSON Web Tokens, RFC 7519), judged before anything in them is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from core.api import Unauthorized, utcnow

from .keysets import ALGORITHMS, Keys, PublicKey

LEEWAY = 30  # seconds that two clocks may differ
LONGEST = 16_384  # characters
_LATEST = 1e11  # seconds since 1970, somewhere in the year 5138
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_REFUSED = frozenset({"crit", "b64", "zip", "enc"})  # extensions, none of which we understand

Find = Callable[[str | None, str], PublicKey | None]


class BadToken(Exception):
    """A token that does not hold; the message is for our log, not for its bearer."""


def finder(get: Callable[[], Keys], again: Callable[[], Keys]) -> Find:
    """Looks a key up in ``get()``, and once more in ``again()`` where it is not there."""

    def find(kid: str | None, algorithm: str) -> PublicKey | None:
        return get().find(kid, algorithm) or again().find(kid, algorithm)

    return find


def signed_claims(token: str, find: Find, *, types: Collection[str]) -> dict[str, Any]:
    """The claims of a token once its form, header and signature hold. Raises ``BadToken``.

    ``types`` are the values of ``typ`` that will do, beside none at all.
    """
    head, body = _parts(token)
    header = _object(head)
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
    if algorithm not in ALGORITHMS:
        raise BadToken("algorithm")
    if _REFUSED & header.keys():
        raise BadToken("an extension that is not understood")
    if kind is not None and (not isinstance(kind, str) or kind.lower() not in types):
        raise BadToken("type")
    if kid is not None and not isinstance(kid, str):
        raise BadToken("kid")
    key = find(kid, algorithm)
    if key is None:
        raise BadToken("unknown key")
    registry = JWSRegistry(algorithms=[key.algorithm], strict_check_header=False)
    registry.max_header_length = LONGEST
    try:
        jws.deserialize_compact(token, key.key, algorithms=[key.algorithm], registry=registry)
    except (JoseError, ValueError) as error:
        raise BadToken("signature") from error
    return _object(body)


def claimed_issuer(token: str) -> str | None:
    """Whom a token says it comes from, before anything of it is verified; ``None`` where it is no token."""
    try:
        issuer = _object(_parts(token)[1]).get("iss")
    except BadToken:
        return None
    return issuer if isinstance(issuer, str) else None


def check_times(claims: dict[str, Any], *, max_age: int) -> None:
    """Raise ``BadToken`` for a token that is over, not yet valid, or older than ``max_age`` seconds."""
    now = utcnow().timestamp()
    expires, issued, begins = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
    for moment in (expires, issued, begins):
        if type(moment) not in (int, float) or not 0 <= moment <= _LATEST:  # NaN is neither
            raise BadToken("times")
    if expires + LEEWAY <= now:
        raise BadToken("expired")
    if issued - LEEWAY > now or begins - LEEWAY > now:
        raise BadToken("not valid yet")
    if issued + max_age + LEEWAY < now:
        raise BadToken("too old")


def check_subject(claims: dict[str, Any]) -> None:
    """Raise ``BadToken`` unless it says whom it is about, in at most 255 characters."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
        raise BadToken("subject")


def audiences(claims: dict[str, Any]) -> list[Any]:
    """For whom a token is meant."""
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def refused() -> Unauthorized:
    """401, alike for whatever is wrong with a token."""
    return Unauthorized("The token does not hold.", code="invalid_token")


def _parts(token: str) -> tuple[str, str]:
    if len(token) > LONGEST or not _SHAPE.fullmatch(token):
        raise BadToken("shape")
    head, _, rest = token.partition(".")
    return head, rest.partition(".")[0]


def _object(part: str) -> dict[str, Any]:
    try:
        value = json.loads(urlsafe_b64decode(part.encode()))
    except (ValueError, TypeError, RecursionError) as error:
        raise BadToken("encoding") from error
    if not isinstance(value, dict):
        raise BadToken("encoding")
    return value
