"""The gate that recognises who is asking, from the bearer token of a request or a browser's cookie."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from flask import request

from core.clock import utcnow
from core.context import Principal, acting_as
from core.errors import Forbidden, Unauthorized
from core.web import SAFE, ViewInfo, hold

from . import cookies
from .permissions import ACCOUNT_READ, ACCOUNT_WRITE
from .sessions import Standing
from .state import auth
from .tokens import BadToken, Claims

_WITHOUT_A_DATABASE = frozenset({"/health", "/livez", "/.well-known/jwks.json"})
_WHILE_CHANGING = frozenset({ACCOUNT_READ, ACCOUNT_WRITE})


def authenticate(view: ViewInfo) -> None:
    """Be whoever the token says for the rest of the request; nobody where there is none.

    A token that does not hold is refused with 401, and a cookie that another site made use of with
    403, except on public routes: there they are anonymous, so that an expired token never stands in
    the way of a new log-in. A bearer token comes before cookies.
    """
    header, cookie = request.headers.get("Authorization"), request.cookies.get(cookies.ACCESS)
    if (header is None and cookie is None) or request.path in _WITHOUT_A_DATABASE:
        return
    everybody = view.access.permission is None
    try:
        who, standing = _recognise(_bearer(header) if header is not None else cookie or "")
        if header is None and request.method not in SAFE:
            cookies.check(cast(UUID, who.session_id))
    except (Unauthorized, Forbidden):
        if everybody:
            return
        raise
    if standing.must_change_password and not everybody and view.access.permission not in _WHILE_CHANGING:
        raise Forbidden("Change your password first.", code="password_change_required")
    hold(acting_as(who))


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise _refused()
    return token.strip()


def _recognise(token: str) -> tuple[Principal, Standing]:
    try:
        claims = auth().tokens.read(token)
    except BadToken:
        raise _refused() from None
    standing = _standing(claims)
    limits = _WHILE_CHANGING if standing.must_change_password else None
    who = Principal(
        kind="user",
        user_id=standing.user_id,
        session_id=claims.session_id,
        roles=standing.roles,
        organisation_id=standing.organisation_id,
        limited_to=limits,
    )
    return who, standing


def _standing(claims: Claims) -> Standing:
    standing = auth().standings.of(claims.session_id)
    if (
        standing is None
        or not standing.active
        or standing.user_id != claims.user_id
        or standing.expires_at <= utcnow()
    ):
        raise _refused()
    return standing


def _refused() -> Unauthorized:
    return Unauthorized(
        "This token does not hold (any more).",
        code="invalid_token",
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )
