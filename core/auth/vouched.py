"""Callers whom a plugin recognises (hook ``authenticate``), held to what core knows of them."""

from __future__ import annotations

from dataclasses import replace

from flask import request

from core.context import Principal
from core.db import begin
from core.errors import Problem, Unauthorized, Unavailable
from core.hooks import HookFailed, hooks
from core.log import get_logger

from .entering import second_step
from .permissions import ACCOUNT_READ, ACCOUNT_WRITE
from .state import auth

log = get_logger(__name__)

WHILE_CHANGING = frozenset({ACCOUNT_READ, ACCOUNT_WRITE})
"""What somebody may who must change their password first."""


def recognise() -> tuple[Principal, bool] | None:
    """Who is asking, as the first plugin says that knows the credential, and whether they must change
    their password first; ``None`` where no plugin does.

    Whatever else the plugin says, the roles are the user's own and their suspension is felt within
    five seconds. Raises ``Unauthorized`` for whoever is gone or suspended, what the plugin raises
    where that is a ``Problem``, and ``Unavailable`` where the plugin fails.
    """
    try:
        found = hooks().decided("authenticate", request=request)
    except HookFailed as fault:
        if isinstance(fault.__cause__, Problem):
            raise fault.__cause__ from None
        log.error("request refused: an authenticator failed", plugin=fault.plugin, error=str(fault))
        raise _undecided() from fault
    if found is None:
        return None
    plugin, who = found
    if not isinstance(who, Principal) or who.user_id is None:
        log.error("request refused: an authenticator answered nobody", plugin=plugin)
        raise _undecided()
    return _held(who)


def _held(who: Principal) -> tuple[Principal, bool]:
    if who.user_id is None or who.kind == "system":
        raise refused()
    standing = auth().standings.of_user(who.user_id)
    if standing is None or not standing.active:
        raise refused()
    if who.kind == "user":
        with begin(write=False):
            if second_step(who.user_id, ()):
                raise Unauthorized(
                    "This account asks for a second step: begin a session.", code="second_step_required"
                )
    limits = who.limited_to
    if standing.must_change_password:
        limits = WHILE_CHANGING if limits is None else WHILE_CHANGING & limits
    held = replace(who, roles=standing.roles, session_id=None, organisation_role=None, limited_to=limits)
    return held, standing.must_change_password


def refused() -> Unauthorized:
    """401 for a credential that does not hold, for whatever reason alike."""
    return Unauthorized(
        "This token does not hold (any more).",
        code="invalid_token",
        headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
    )


def _undecided() -> Unavailable:
    return Unavailable("Who you are cannot be found out at the moment.", code="authentication_unavailable")
