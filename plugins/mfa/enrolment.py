"""Setting a second step up, and taking it down. What changes it ends the other sessions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from core.api import (
    Conflict,
    NotFound,
    Problem,
    UserInfo,
    begin,
    db,
    delete,
    emit,
    end_sessions,
    principal,
    require_second_step,
    security_alert,
    select,
    settings,
    update,
    utcnow,
    uuid7,
    waive_second_step,
)

from . import account, factors, recovery, totp
from .events import FactorAdded, FactorRemoved, MfaReset, RecoveryCodesReplaced
from .models import Factor

MOST = 5
"""Factors of one person."""
PENDING = timedelta(minutes=10)
"""How long a factor may wait to be confirmed."""


def enroll(user: UserInfo, label: str) -> dict[str, Any]:
    """Begin to add an authenticator app; one begun before and not confirmed is forgotten.

    Returns what the app needs; the secret is never shown again. Raises ``Conflict`` past five.
    """
    account.lock(user.id)
    if factors.count(user.id) >= MOST:
        raise Conflict(f"You have {MOST} already: remove one first.", code="too_many_factors")
    _delete(Factor.user_id == user.id, Factor.confirmed_at.is_(None))
    secret, factor_id, expires_at = totp.new_secret(), uuid7(), utcnow() + PENDING
    db.insert(
        Factor(
            id=factor_id,
            user_id=user.id,
            label=label,
            secret=factors.sealed(secret, factor_id=factor_id, user_id=user.id),
            expires_at=expires_at,
        )
    )
    uri = totp.address(secret, account=user.email, issuer=settings("mfa")["issuer"])
    return {
        "factor_id": factor_id,
        "secret": totp.readable(secret),
        "uri": uri,
        "qr": totp.picture(uri),
        "expires_at": expires_at,
    }


def confirm(user_id: UUID, code: str) -> dict[str, Any]:
    """Show that the app works: from now on it is asked for. With the first one come recovery codes.

    Raises ``Conflict`` where nothing waits to be confirmed, ``Problem`` 400 for a wrong code.
    """
    account.lock(user_id)
    pending = db.session.scalars(
        select(Factor)
        .where(Factor.user_id == user_id, Factor.confirmed_at.is_(None), Factor.expires_at > utcnow())
        .order_by(Factor.id.desc())
        .limit(1)
    ).one_or_none()
    if pending is None:
        raise Conflict("Nothing waits to be confirmed: begin again.", code="nothing_to_confirm")
    step = factors.step_in(pending, code)
    if step is None:
        raise Problem("This code is wrong: is the clock of the device right?", code="invalid_code")
    first = factors.count(user_id) == 0
    db.session.execute(
        update(Factor)
        .where(Factor.id == pending.id)
        .values(confirmed_at=utcnow(), expires_at=None, last_step=step)
        .execution_options(synchronize_session=False)
    )
    require_second_step(user_id, plugin="mfa")
    _end_other_sessions(user_id)
    emit(FactorAdded(user_id=user_id, factor_id=pending.id, kind=pending.kind, first=first))
    security_alert(user_id, kind="mfa_factor_added")
    return {"factor_id": pending.id, "recovery_codes": recovery.replace(user_id) if first else []}


def remove(user_id: UUID, factor_id: UUID) -> None:
    """Take a factor away, with the last one the recovery codes too. Raises ``NotFound``."""
    account.lock(user_id)
    gone = _delete(Factor.user_id == user_id, Factor.id == factor_id)
    if not gone:
        raise NotFound
    if gone[0] is None:  # it guarded nothing yet
        return
    last = factors.count(user_id) == 0
    if last:
        recovery.discard(user_id)
        waive_second_step(user_id, plugin="mfa")
    _end_other_sessions(user_id)
    emit(FactorRemoved(user_id=user_id, factor_id=factor_id, last=last))
    security_alert(user_id, kind="mfa_removed" if last else "mfa_factor_removed")


def new_recovery_codes(user_id: UUID) -> list[str]:
    """Replace somebody's recovery codes. Raises ``Conflict`` where there is no factor to recover from."""
    account.lock(user_id)
    if factors.count(user_id) == 0:
        raise Conflict("There is no second step yet.", code="no_factor")
    codes = recovery.replace(user_id)
    emit(RecoveryCodesReplaced(user_id=user_id))
    security_alert(user_id, kind="mfa_recovery_codes_replaced")
    return codes


def reset(user_id: UUID) -> int:
    """Take somebody's second step away for them: how many factors guarded them. All sessions end.

    Nothing is told where there were none.
    """
    account.lock(user_id)
    account.forget_tries(user_id)
    guarded = [moment for moment in _delete(Factor.user_id == user_id) if moment is not None]
    recovery.discard(user_id)
    waive_second_step(user_id, plugin="mfa")
    if guarded:
        end_sessions(user_id, reason="mfa_reset")
        emit(MfaReset(user_id=user_id, factors=len(guarded)))
        security_alert(user_id, kind="mfa_reset")
    return len(guarded)


def tidy() -> dict[str, int]:
    """``mfa.tidy``: forget enrolments that were never confirmed; idempotent."""
    with begin():
        return {"forgotten": len(_delete(Factor.confirmed_at.is_(None), Factor.expires_at < utcnow()))}


def _delete(*which: Any) -> list[Any]:
    """Delete factors; when each was confirmed."""
    statement = delete(Factor).where(*which).returning(Factor.confirmed_at)
    return list(db.session.execute(statement.execution_options(synchronize_session=False)).scalars())


def _end_other_sessions(user_id: UUID) -> None:
    end_sessions(user_id, but=principal().session_id, reason="mfa_changed")
