"""From the first click to the way back: what each route of a provider does, as one answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, redirect

from core.api import (
    Invalid,
    NotFound,
    Problem,
    begin,
    give_cookies,
    prepare_sign_in,
    principal,
    session_holds,
    sign_in,
)

from . import attempts, entry_codes, flow, linking, targets
from .attempts import Attempt
from .provider import Provider, providers

AMR = ["sso"]


def found(path: str) -> Provider:
    """The provider of ``/auth/<path>``. Raises ``NotFound`` for one that is not offered."""
    provider = providers().get(path)
    if provider is None:
        raise NotFound
    return provider


def set_out(provider: Provider, *, target: str | None, challenge: str | None) -> Response:
    """Send the browser to ``provider``. Raises ``Invalid`` for a target that is not ours, ``Unavailable``."""
    attempt = attempts.start(provider.path, target=targets.checked(target), challenge=challenge)
    return _away(flow.authorization_url(provider, attempt), attempt)


def set_out_to_link(provider: Provider, *, target: str | None) -> tuple[str, Attempt]:
    """Where to send the browser of the caller, who wants to link an account, and the attempt to keep."""
    who = principal()
    attempt = attempts.start(
        provider.path, target=targets.checked(target), user_id=who.user_id, session_id=who.session_id
    )
    return flow.authorization_url(provider, attempt), attempt


def come_back(provider: Provider, given: dict[str, Any]) -> Response:
    """Let in, or link, whoever comes back from ``provider`` with the query ``given``.

    Raises ``Problem`` ``invalid_state`` where there is no attempt to tell where they should land;
    otherwise they land there, in trouble with ``error`` in the query.
    """
    attempt = attempts.take(given["state"], provider.path)
    answer = _redirect(_arrival(provider, attempt, given))
    attempts.forget(attempt, answer)
    return answer


def _arrival(provider: Provider, attempt: Attempt, given: dict[str, Any]) -> str:
    try:
        target = targets.checked(attempt.target)
    except Invalid:  # the operator took its origin away meanwhile
        return targets.extended(targets.checked(None), error="invalid_next")
    try:
        claims = flow.claims_of(provider, attempt, given)
        prepare_sign_in()
        with begin():
            return (_linked if attempt.user_id else _let_in)(provider, attempt, claims, target)
    except Problem as refused:
        return targets.extended(target, error=refused.code)


def _linked(provider: Provider, attempt: Attempt, claims: dict[str, Any], target: str) -> str:
    if attempt.session_id is None or not session_holds(UUID(attempt.session_id)):
        raise Problem("You are signed in no more.", status=401, code="session_ended")
    linking.link(UUID(attempt.user_id or ""), provider, claims)
    return targets.extended(target, linked=provider.name)


def _let_in(provider: Provider, attempt: Attempt, claims: dict[str, Any], target: str) -> str:
    user_id = linking.enter(provider, claims)
    if attempt.challenge is not None:
        return targets.extended(target, code=entry_codes.issue(user_id, challenge=attempt.challenge, amr=AMR))
    given = give_cookies(sign_in(user_id, amr=AMR))
    if "ticket" not in given:
        return target
    return targets.with_fragment(
        target,
        mfa="required",
        ticket=given["ticket"],
        methods=",".join(given["methods"]),
        expiresAt=f"{given['expires_at']:%Y-%m-%dT%H:%M:%SZ}",
    )


def _away(url: str, attempt: Attempt) -> Response:
    answer = _redirect(url)
    attempts.keep(attempt, answer)
    return answer


def _redirect(url: str) -> Response:
    answer = redirect(url, 303, Response=Response)
    answer.data = b""  # the page that browsers do not show would repeat what is in the address
    del answer.headers["Content-Type"]
    return answer
