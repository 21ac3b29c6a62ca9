"""Access tokens: RS256, one exact header, every claim required; checked strictly, remembered briefly."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from core.clock import utcnow
from core.db import uuid7

from .keys import SigningKeys

VERSION = 1
TYPE = "at+jwt"
LEEWAY = 30  # seconds
LONGEST = 4096  # characters
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HEADER = {"alg", "typ", "kid"}
_CLAIMS = {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "tid", "amr", "ver"}
_REMEMBERED = 10_000


class BadToken(Exception):
    """A token that is not one of ours, or no longer; the message is for our log, not for its bearer."""


@dataclass(frozen=True)
class Claims:
    """What an access token says. Role and status are not in it: they are read per request."""

    user_id: UUID
    session_id: UUID
    organisation_id: UUID | None
    amr: tuple[str, ...]
    issued_at: int
    expires_at: int
    kid: str


@dataclass
class AccessTokens:
    """Makes and checks the access tokens of one instance.

    ``issuer`` and ``audience`` name it; ``lifetime`` bounds every token, also ones that claim more.
    """

    keys: SigningKeys
    issuer: str
    audience: str
    lifetime: timedelta
    _seen: dict[str, Claims] = field(default_factory=dict)

    def mint(self, *, user_id: UUID, session_id: UUID, organisation_id: UUID | None, amr: list[str]) -> str:
        """A signed token for one session."""
        kid, key = self.keys.active()
        now = int(utcnow().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(uuid7()),
            "iat": now,
            "exp": now + int(self.lifetime.total_seconds()),
            "tid": str(organisation_id) if organisation_id else "",
            "amr": amr,
            "ver": VERSION,
        }
        header = {"alg": "RS256", "typ": TYPE, "kid": kid}
        return jws.serialize_compact(header, orjson.dumps(claims), key, algorithms=["RS256"])

    def ours(self, token: str) -> bool:
        """Whether a token claims to be one of this instance, and so is nobody else's to judge."""
        if token in self._seen:
            return True
        if len(token) > LONGEST or not _SHAPE.fullmatch(token):
            return False
        try:
            return bool(_object(token.split(".")[1]).get("iss") == self.issuer)
        except BadToken:
            return False

    def read(self, token: str) -> Claims:
        """What a token says, once its form, signature and times hold. Raises ``BadToken``."""
        claims = self._seen.get(token)
        if claims is None or self.keys.find(claims.kid) is None:
            claims = self._verified(token)
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            self._seen[token] = claims
        now = utcnow().timestamp()
        if claims.expires_at + LEEWAY < now:
            self._seen.pop(token, None)
            raise BadToken("expired")
        if claims.issued_at - LEEWAY > now:
            raise BadToken("issued in the future")
        return claims

    def _verified(self, token: str) -> Claims:
        if len(token) > LONGEST or not _SHAPE.fullmatch(token):
            raise BadToken("shape")
        head, _, rest = token.partition(".")
        header = _object(head)
        # before any cryptography: a header we did not write chooses no algorithm, key or extension
        if set(header) != _HEADER or header["alg"] != "RS256" or header["typ"] != TYPE:
            raise BadToken("header")
        kid = header["kid"]
        key = self.keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise BadToken("unknown key")
        try:
            jws.deserialize_compact(token, key, algorithms=["RS256"])
        except (JoseError, ValueError) as error:
            raise BadToken("signature") from error
        return self._claims(_object(rest.partition(".")[0]), kid)

    def _claims(self, given: dict[str, Any], kid: str) -> Claims:
        if set(given) != _CLAIMS:
            raise BadToken("claims")
        if given["iss"] != self.issuer or given["aud"] != self.audience or given["ver"] != VERSION:
            raise BadToken("issuer, audience or version")
        issued, expires, amr = given["iat"], given["exp"], given["amr"]
        if type(issued) is not int or type(expires) is not int or not isinstance(amr, list):
            raise BadToken("types")
        if not 0 < expires - issued <= self.lifetime.total_seconds():
            raise BadToken("lives too long")
        try:
            organisation = UUID(given["tid"]) if given["tid"] else None
            return Claims(
                user_id=UUID(given["sub"]),
                session_id=UUID(given["sid"]),
                organisation_id=organisation,
                amr=tuple(map(str, amr)),
                issued_at=issued,
                expires_at=expires,
                kid=kid,
            )
        except (ValueError, TypeError, AttributeError) as error:
            raise BadToken("ids") from error


def _object(part: str) -> dict[str, Any]:
    try:
        value = orjson.loads(urlsafe_b64decode(part.encode()))
    except (ValueError, TypeError) as error:
        raise BadToken("encoding") from error
    if not isinstance(value, dict):
        raise BadToken("encoding")
    return value
