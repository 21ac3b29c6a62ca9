"""Tokens in cookies, for browsers: scripts never see them, and no other site can act through them.

A request that comes with cookies instead of a bearer token and changes something must show three
things: the header ``X-CSRF-Token`` with the token of its session, ``Sec-Fetch-Site`` saying that it
comes from our own pages, and a body that no plain form can send.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, after_this_request, request

from core.clock import utcnow
from core.crypto import keyring
from core.errors import Forbidden

# "__Host-": browsers keep such a cookie for this host alone, and only when it came by https
ACCESS = "__Host-jobstead_access"
REFRESH = "__Host-jobstead_refresh"
CSRF = "__Host-jobstead_csrf"
HEADER = "X-CSRF-Token"

_OURS = frozenset({"same-origin", "none"})
_BODIES = frozenset({"application/json", "multipart/form-data"})


def csrf_token(session_id: UUID) -> str:
    """What a page must show to act for a session; worth nothing for any other."""
    digest = hmac.new(keyring().derive("auth.csrf"), session_id.bytes, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def check_origin() -> None:
    """Raise ``Forbidden`` unless the browser says that one of our own pages sent this request.

    Also refused where nothing is said: what is no browser has no use for cookies.
    """
    if request.headers.get("Sec-Fetch-Site") not in _OURS:
        raise _refused("it does not come from a page of this server")


def check(session_id: UUID) -> None:
    """Raise ``Forbidden`` unless this request may change something for a session it has by cookie."""
    check_origin()
    shown = request.headers.get(HEADER, "")
    if not hmac.compare_digest(shown.encode(), csrf_token(session_id).encode()):
        raise _refused(f"the header {HEADER} does not fit the session")
    body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if (body or request.mimetype) and request.mimetype not in _BODIES:
        raise _refused("send application/json")


def give(tokens: dict[str, Any]) -> dict[str, Any]:
    """Put the tokens of a session into cookies of the answer; returns what its body may still say.

    What ``sign_in`` gave before a second step has no tokens yet, and comes back as it is.
    """
    if "ticket" in tokens:
        return tokens
    token = csrf_token(tokens["session_id"])
    access, refresh, until = tokens["access_token"], tokens["refresh_token"], tokens["refresh_expires_at"]

    def put(response: Response) -> Response:
        if response.status_code < 400:  # the session is not durable otherwise
            _put(response, ACCESS, access, tokens["expires_in"], "Lax")
            _put(response, REFRESH, refresh, _left(until), "Strict")
            _put(response, CSRF, token, _left(until), "Strict", readable=True)
        return response

    after_this_request(put)
    told = {key: value for key, value in tokens.items() if key not in ("access_token", "refresh_token")}
    return {**told, "token_type": "Cookie", "csrf_token": token}


def withdraw() -> None:
    """Have the browser forget our cookies, where it sent any."""
    sent = [name for name in (ACCESS, REFRESH, CSRF) if name in request.cookies]

    def take_away(response: Response) -> Response:
        for name in sent:
            _put(response, name, "", 0, "Strict", readable=name == CSRF)
        return response

    after_this_request(take_away)


def _put(
    response: Response, name: str, value: str, seconds: int, same_site: str, *, readable: bool = False
) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=True, httponly=not readable, samesite=same_site
    )


def _left(until: datetime) -> int:
    return max(0, int((until - utcnow()).total_seconds()))


def _refused(why: str) -> Forbidden:
    return Forbidden(f"Refused, for it comes with cookies: {why}.", code="csrf_failed")
