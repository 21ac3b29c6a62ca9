"""The gate that recognises who is asking: by a token of ours, by a browser's cookie, or through a plugin."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from flask import request

from core.clock import utcnow
from core.context import Principal, acting_as
from core.errors import Forbidden, Problem
from core.web import SAFE, ViewInfo, hold

from . import cookies, vouched
from .sessions import Standing
from .state import auth
from .tokens import BadToken, Claims
from .vouched import WHILE_CHANGING, refused

_WITHOUT_A_DATABASE = frozenset({"/health", "/livez", "/.well-known/jwks.json"})


def authenticate(view: ViewInfo) -> None:
    """Be whoever the request's credential says for the rest of the request; nobody where there is none.

    A credential that does not hold is refused with 401, and a cookie that another site made use of
    with 403, except on public routes: there they are anonymous, so that an expired token never stands
    in the way of a new log-in. A header comes before cookies; what is neither a token nor a cookie of
    ours is left to plugins.
    """
    if request.path in _WITHOUT_A_DATABASE:
        return
    everybody = view.access.permission is None
    try:
        found = _found()
    except Problem:
        if everybody:
            return
        raise
    if found is None:
        return
    who, must_change = found
    if must_change and not everybody and view.access.permission not in WHILE_CHANGING:
        raise Forbidden("Change your password first.", code="password_change_required")
    hold(acting_as(who))


def _found() -> tuple[Principal, bool] | None:
    """Who is asking, and whether they must change their password first."""
    header, cookie = request.headers.get("Authorization"), request.cookies.get(cookies.ACCESS)
    if header is not None:
        token = _bearer(header)
        if token is not None and auth().tokens.ours(token):
            return _recognise(token)
    elif cookie is not None:
        who, must_change = _recognise(cookie)
        if request.method not in SAFE:
            cookies.check(cast(UUID, who.session_id))
        return who, must_change
    found = vouched.recognise()
    if found is None and header is not None:
        raise refused()
    return found


def _bearer(header: str) -> str | None:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _recognise(token: str) -> tuple[Principal, bool]:
    try:
        claims = auth().tokens.read(token)
    except BadToken:
        raise refused() from None
    standing = _standing(claims)
    who = Principal(
        kind="user",
        user_id=standing.user_id,
        session_id=claims.session_id,
        roles=standing.roles,
        organisation_id=standing.organisation_id,
        limited_to=WHILE_CHANGING if standing.must_change_password else None,
    )
    return who, standing.must_change_password


def _standing(claims: Claims) -> Standing:
    standing = auth().standings.of(claims.session_id)
    if (
        standing is None
        or not standing.active
        or standing.user_id != claims.user_id
        or standing.expires_at <= utcnow()
    ):
        raise refused()
    return standing
