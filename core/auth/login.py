"""Signing in with a password, keeping signed in, signing out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import select, update

from core.db import begin, db
from core.errors import Forbidden, Problem, Unauthorized

from . import cookies, credentials, devices, failures
from .asking import Caller
from .codes import VERIFY_EMAIL, request_code
from .credentials import Credential
from .entering import prepare_sign_in, sign_in, tokens_of
from .models import Password
from .refresh import rotate, session_of
from .state import auth


def log_in(*, email: str, password: str) -> dict[str, Any]:
    """Begin a session and give its tokens, or a ticket where a second step is asked for: see ``sign_in``.

    Raises ``Unauthorized`` alike for a wrong password and an unknown address, after the same work;
    with the right password ``Forbidden``: ``email_not_verified`` (a new code is on its way),
    ``account_suspended``, or ``password_spent`` for the well-known first password's second use.
    """
    parts = auth()
    prepare_sign_in()
    found = credentials.find(email=email)
    right = parts.passwords.verify(found.hash if found else None, password)
    if found is None or found.hash is None or not right:
        failures.note(email, found.user_id if found else None)
        raise _wrong()
    if found.status != "active":
        raise Forbidden("This account is suspended.", code="account_suspended")
    if not found.verified:
        _send_code(found)
        raise Forbidden("Verify your e-mail address first; a new code was sent.", code="email_not_verified")
    rehashed = parts.passwords.renewed(found.hash, password)

    _still_holds(found, rehashed)
    return sign_in(found.user_id, amr=["pwd"])


def refresh(*, token: str, caller: Caller) -> dict[str, Any]:
    """Exchange a refresh token for new tokens. Raises ``Unauthorized`` where it does not hold."""
    parts = auth()
    parts.keys.active()
    issued = rotate(
        token,
        caller=caller,
        last=parts.sessions,
        standings=parts.standings,
        grace=parts.config.auth.refresh_grace,
    )
    if issued is None:
        raise _spent()
    return tokens_of(issued)


def refresh_cookies(*, caller: Caller) -> dict[str, Any]:
    """The same with the token in the request's cookie, its successor going into the answer's.

    Raises ``Forbidden`` for a request of another site.
    """
    token = request.cookies.get(cookies.REFRESH, "")
    session_id = session_of(token)
    if session_id is None:
        cookies.withdraw()
        raise _spent()
    cookies.check(session_id)
    try:
        return cookies.give(refresh(token=token, caller=caller))
    except Unauthorized:
        cookies.withdraw()
        raise


def log_out(user_id: UUID, session_id: UUID) -> None:
    """End a session and all its tokens."""
    devices.end(user_id, session_id, reason="logged_out")


def _still_holds(found: Credential, rehashed: str | None) -> None:
    """Lock the credential and look again: it may have changed while it was being verified.

    A change that waits for this lock sees the new session, or the ticket, and ends it.
    """
    row = db.session.execute(
        select(Password.hash, Password.must_change, Password.spent)
        .where(Password.user_id == found.user_id)
        .with_for_update()
    ).one_or_none()
    if row is None or row.hash != found.hash:
        raise _wrong()
    if row.must_change and row.spent:
        raise Forbidden("This password was good for one log-in.", code="password_spent")
    values: dict[str, Any] = {}
    if row.must_change:
        values["spent"] = True
    if rehashed is not None:
        values["hash"] = rehashed
    if values:
        db.session.execute(update(Password).where(Password.user_id == found.user_id).values(**values))


def _send_code(found: Credential) -> None:
    try:
        with begin():
            request_code(email=found.email, user_id=found.user_id, purpose=VERIFY_EMAIL, rules=auth().codes)
    except Problem as refused:
        if refused.status != 429:
            raise


def _wrong() -> Unauthorized:
    return Unauthorized("Wrong e-mail address or password.", code="invalid_credentials")


def _spent() -> Unauthorized:
    return Unauthorized("This refresh token does not hold (any more).", code="invalid_refresh_token")
