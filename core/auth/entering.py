"""Getting in: whoever has shown who they are, by whichever means, begins a session here and nowhere else.

A plugin's ``login_guard`` may ask for a second step first. Then there is a ticket and no session: the
plugin judges what the person shows with the ticket, and ``finish_sign_in`` begins the session.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from core.db import db
from core.engine import emit
from core.errors import Forbidden, Problem, Unauthorized, Unavailable
from core.hooks import HookFailed, hooks
from core.log import get_logger
from core.switch import switch
from core.users import User, UserLogin, note_login

from . import sessions, tickets
from .asking import caller
from .models import Password, SecondStep
from .sessions import Issued
from .state import auth

log = get_logger(__name__)


def prepare_sign_in() -> None:
    """Have the signing key at hand. Call it before the first statement of whatever signs somebody in:
    reading the key, or making the very first one, is a transaction of its own."""
    auth().keys.active()


def sign_in(user_id: UUID, *, amr: Sequence[str]) -> dict[str, Any]:
    """Let somebody in whose identity the caller has just established by the methods ``amr`` (RFC 8176).

    In the open unit of work of a request. Returns the session's tokens and ``must_change_password``;
    or, where a second step is asked for, ``{"mfa_required": True, "ticket", "methods", "expires_at"}``,
    and then there is no session. Raises ``Forbidden`` ``account_suspended``, ``Unauthorized`` for an
    account that is gone, ``Unavailable`` where it cannot be said whether a second step is needed.
    """
    must_change = _admissible(user_id)
    methods = second_step(user_id, tuple(amr))
    if methods:
        ticket, expires_at = tickets.issue(user_id, amr=list(amr))
        return {"mfa_required": True, "ticket": ticket, "methods": methods, "expires_at": expires_at}
    return _begin(user_id, list(amr), must_change)


def ticket_holder(ticket: str) -> UUID:
    """Who stands before the second step with ``ticket``. Counts as a try: ask before judging anything.

    The count is committed at once, also where the request is refused later; so ask before the
    request has written anything. Raises ``Unauthorized`` ``invalid_ticket`` for one that is unknown,
    used, older than five minutes, or was tried five times.
    """
    user_id = tickets.count_attempt(ticket)
    if user_id is None:
        raise _invalid()
    return user_id


def finish_sign_in(ticket: str, *, amr: str) -> dict[str, Any]:
    """Begin the session of ``ticket``'s holder, who has just shown ``amr`` too. In the open unit of work.

    Uses the ticket up: of many callers one gets what ``sign_in`` gives without a second step. Raises
    ``Unauthorized`` ``invalid_ticket``, also where ``ticket_holder`` was not asked before, and
    ``Forbidden`` ``account_suspended``.
    """
    user_id = tickets.holder(ticket)
    if user_id is None:
        raise _invalid()
    must_change = _admissible(user_id)
    shown = tickets.take(ticket)
    if shown is None:
        raise _invalid()
    return _begin(user_id, [*shown, amr], must_change)


def require_second_step(user_id: UUID, *, plugin: str) -> None:
    """Note that somebody gets in only past ``plugin``'s ``login_guard``, in the open unit of work.

    While the plugin should run and does not (it failed, or core runs alone in safe mode), they are
    refused with 503. Where an admin switched it off, they get in without. Whoever is being let in at
    this moment is waited for: end their other sessions afterwards. Raises as ``sign_in`` does.
    """
    _admissible(user_id)
    db.session.execute(
        db.unit.upsert(SecondStep).values(user_id=user_id, plugin=plugin).on_conflict_do_nothing()
    )


def waive_second_step(user_id: UUID, *, plugin: str) -> None:
    """Take ``require_second_step`` back."""
    db.session.execute(
        delete(SecondStep)
        .where(SecondStep.user_id == user_id, SecondStep.plugin == plugin)
        .execution_options(synchronize_session=False)
    )


def tokens_of(issued: Issued) -> dict[str, Any]:
    """What a client gets of a session: an access token, and the refresh token just made."""
    tokens = auth().tokens
    return {
        "access_token": tokens.mint(
            user_id=issued.user_id,
            session_id=issued.session_id,
            organisation_id=issued.organisation_id,
            amr=issued.amr,
        ),
        "refresh_token": issued.refresh_token,
        "token_type": "Bearer",
        "expires_in": int(tokens.lifetime.total_seconds()),
        "refresh_expires_at": issued.refresh_expires_at,
        "user_id": issued.user_id,
        "session_id": issued.session_id,
    }


def _begin(user_id: UUID, amr: list[str], must_change: bool) -> dict[str, Any]:
    parts, who = auth(), caller()
    issued = sessions.start(
        user_id,
        organisation_id=parts.organisations.default(user_id),
        amr=amr,
        ip=who.ip,
        user_agent=who.user_agent,
        last=parts.sessions,
    )
    note_login(user_id)
    emit(
        UserLogin(
            user_id=user_id,
            session_id=issued.session_id,
            amr=issued.amr,
            ip=who.ip,
            user_agent=who.user_agent[:200],
        )
    )
    return {**tokens_of(issued), "must_change_password": must_change}


def _admissible(user_id: UUID) -> bool:
    """Lock the account and look whether it is in good standing; whether its password must be changed.

    A suspension that waits for this lock sees the new session, or the ticket, and ends it.
    """
    row = db.session.execute(
        select(User.status, Password.must_change)
        .outerjoin(Password, Password.user_id == User.id)
        .where(User.id == user_id)
        .with_for_update(of=User, key_share=True)
    ).one_or_none()
    if row is None:
        raise Unauthorized("This account is gone.")
    if row.status != "active":
        raise Forbidden("This account is suspended.", code="account_suspended")
    return bool(row.must_change)


def second_step(user_id: UUID, amr: tuple[str, ...]) -> list[str]:
    """The methods that guards ask for beyond ``amr``, each once. Raises where that is in doubt."""
    needed = db.session.scalars(select(SecondStep.plugin).where(SecondStep.user_id == user_id)).all()
    absent = sorted(plugin for plugin in needed if switch().missing(plugin))
    if absent:
        log.error("log-in refused: a plugin that asks for a second step is away", plugins=absent)
        raise _undecided()
    try:
        answers = hooks().all("login_guard", user_id=user_id, amr=amr)
    except HookFailed as fault:
        if isinstance(fault.__cause__, Problem):
            raise fault.__cause__ from None
        log.error("log-in refused: a guard failed", plugin=fault.plugin, error=str(fault))
        raise _undecided() from fault
    wanted: dict[str, None] = {}
    for plugin, methods in answers:
        if not isinstance(methods, list | tuple) or not all(isinstance(name, str) for name in methods):
            log.error("log-in refused: a guard answered no list of methods", plugin=plugin)
            raise _undecided()
        wanted.update(dict.fromkeys(methods))
    return list(wanted)


def _undecided() -> Unavailable:
    return Unavailable(
        "Signing in to this account is not possible at the moment.",
        code="second_step_unavailable",
        retry_after=30,
    )


def _invalid() -> Unauthorized:
    return Unauthorized("This ticket does not hold (any more): sign in again.", code="invalid_ticket")
