"""``/auth/mfa``: one's own second step, and the step itself; ``/users/<id>/mfa``: somebody else's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import (
    Blueprint,
    NotFound,
    UserInfo,
    body_limit,
    check_origin,
    confirm_fresh,
    confirm_reach,
    db,
    find_user,
    give_cookies,
    principal,
    public,
    require,
    signed_in,
)

from . import account, enrolment, factors, recovery, verifying
from .models import Factor
from .schemas import (
    ConfirmedOut,
    ConfirmIn,
    EnrolledOut,
    EnrollIn,
    RecoveryCodesOut,
    SecondStepOut,
    VerifyIn,
)

blp = Blueprint("mfa", url_prefix="/auth/mfa")
people = Blueprint("mfa_people", url_prefix="/users")
ALL = [blp, people]
SMALL = 4096  # bytes


@blp.get("")
@require("mfa.factor.read")
@blp.response(200, SecondStepOut())
def show() -> dict[str, Any]:
    """My second step: its factors, and how many recovery codes are left."""
    user = _me()
    mine = db.session.scalars(factors.confirmed(user.id).order_by(Factor.id)).all()
    return {"enabled": bool(mine), "factors": mine, "recovery_codes_left": recovery.left(user.id)}


@blp.post("/totp/enroll")
@require("mfa.factor.write")
@body_limit(SMALL)
@blp.arguments(EnrollIn(), required=False)
@blp.response(201, EnrolledOut())
def enroll(data: dict[str, Any]) -> dict[str, Any]:
    """Begin to add an authenticator app. It guards nothing before it is confirmed, within ten minutes.

    403 `fresh_login_required`; 409 `too_many_factors`.
    """
    confirm_fresh()
    return enrolment.enroll(_me(), data["label"])


@blp.post("/totp/confirm")
@require("mfa.factor.write")
@body_limit(SMALL)
@blp.arguments(ConfirmIn())
@blp.response(200, ConfirmedOut())
def confirm(data: dict[str, Any]) -> dict[str, Any]:
    """Confirm it by a code it shows; with the first one come ten recovery codes. Other sessions end.

    400 `invalid_code`; 409 `nothing_to_confirm`.
    """
    return enrolment.confirm(_me().id, data["code"])


@blp.post("/verify")
@public
@body_limit(SMALL)
@blp.arguments(VerifyIn())
@blp.response(200, signed_in())
def verify(data: dict[str, Any]) -> dict[str, Any]:
    """Take the second step of a log-in, with the ticket of the first: begins a session as `login` does.

    401 `invalid_code`; 401 `invalid_ticket` for one that was used, is older than five minutes or was
    tried five times: log in again. 429 after ten wrong codes within an hour.
    """
    if data["cookies"]:
        check_origin()
    if "code" in data:
        session = verifying.with_code(data["ticket"], data["code"])
    else:
        session = verifying.with_recovery_code(data["ticket"], data["recovery_code"])
    return give_cookies(session) if data["cookies"] else session


@blp.post("/recovery-codes")
@require("mfa.factor.write")
@blp.response(201, RecoveryCodesOut())
def new_recovery_codes() -> dict[str, Any]:
    """Have ten new recovery codes; the former ones are worthless.

    403 `fresh_login_required`; 409 `no_factor`.
    """
    confirm_fresh()
    return {"recovery_codes": enrolment.new_recovery_codes(_me().id)}


@blp.delete("/<uuid:factor_id>")
@require("mfa.factor.write")
@blp.response(204)
def remove(factor_id: UUID) -> None:
    """Remove a factor, with the last one the recovery codes. Other sessions end.

    403 `fresh_login_required`.
    """
    confirm_fresh()
    enrolment.remove(_me().id, factor_id)


@people.delete("/<uuid:id>/mfa")
@require("core.user.write")
@blp.response(204)
def reset(id: UUID) -> None:
    """Take away the second step of somebody who lost it. Their sessions end, and they hear of it by mail.

    403 `fresh_login_required`, or `above_you`; nothing happens where there is none.
    """
    confirm_fresh()
    if find_user(id) is None:
        raise NotFound
    account.lock(id)  # before the person's own row, as signing in does
    confirm_reach(id)
    enrolment.reset(id)


def _me() -> UserInfo:
    identifier = principal().user_id
    user = find_user(identifier) if identifier is not None else None
    if user is None:
        raise NotFound
    return user
