"""``/api/v1/auth``: parse, call, return."""

from __future__ import annotations

from typing import Any

from core.access import may, permissions, public, require
from core.context import organisation_id, principal
from core.users import UserInfo
from core.web import Blueprint, body_limit

from . import cookies, credentials, login, recovery, registration, setup
from .asking import caller, my_id, myself
from .codes import RESET
from .permissions import ACCOUNT_READ, ACCOUNT_WRITE
from .schemas import (
    ChangePasswordIn,
    EmailIn,
    LoginIn,
    MeOut,
    RefreshIn,
    RegisterIn,
    ResetPasswordIn,
    SetupIn,
    SetupOut,
    StatusOut,
    TokensOut,
    VerifyIn,
    signed_in,
)
from .state import auth

blp = Blueprint("auth", url_prefix="/auth")
SMALL = 16_384
"""Bytes of a body here: nobody signs in with more."""


@blp.post("/register")
@public
@body_limit(SMALL)
@blp.arguments(RegisterIn())
@blp.response(202, StatusOut())
def register(data: dict[str, Any]) -> dict[str, str]:
    """Make an account; a code goes to its address.

    The answer is the same for an address that is known. 422 a poor password, 429 more than three
    an hour for one address.
    """
    registration.register(**data)
    return {"status": "verification_sent"}


@blp.post("/resend-otp")
@public
@body_limit(SMALL)
@blp.arguments(EmailIn())
@blp.response(202, StatusOut())
def resend_otp(data: dict[str, Any]) -> dict[str, str]:
    """Send another code; the answer is the same for an address that is not known."""
    registration.resend(**data)
    return {"status": "verification_sent"}


@blp.post("/verify-otp")
@public
@body_limit(SMALL)
@blp.arguments(VerifyIn())
@blp.response(200, StatusOut())
def verify_otp(data: dict[str, Any]) -> dict[str, str]:
    """Show by its code that an address is one's own. 400 `invalid_code`; five tries a code.

    With `purpose` `reset` the code of a forgotten password is tried and not used up: that is left to
    `PUT /auth/reset-password`.
    """
    if data["purpose"] == RESET:
        recovery.check(email=data["email"], code=data["code"])
    else:
        registration.verify(email=data["email"], code=data["code"])
    return {"status": "verified"}


@blp.post("/forgot-password")
@public
@body_limit(SMALL)
@blp.arguments(EmailIn())
@blp.response(202, StatusOut())
def forgot_password(data: dict[str, Any]) -> dict[str, str]:
    """Have a code sent with which to set a new password.

    The answer is the same for an address that is not known. 429 more than three an hour for one address.
    """
    recovery.forgot(**data)
    return {"status": "reset_sent"}


@blp.put("/reset-password")
@public
@body_limit(SMALL)
@blp.arguments(ResetPasswordIn())
@blp.response(200, StatusOut())
def reset_password(data: dict[str, Any]) -> dict[str, str]:
    """Set a new password with the code that was sent; every session ends, and none begins.

    400 `invalid_code`; 422 a poor password, or the one there was: the code then still holds.
    """
    recovery.reset(email=data["email"], code=data["code"], new=data["new_password"], ip=caller().ip)
    return {"status": "changed"}


@blp.post("/login", endpoint="login")
@public
@body_limit(SMALL)
@blp.arguments(LoginIn())
@blp.response(200, signed_in())
def sign_in(data: dict[str, Any]) -> dict[str, Any]:
    """Begin a session. 401 `invalid_credentials`; 403 `email_not_verified` sends a new code.

    Where the account asks for a second step, `mfaRequired` is true and a ticket for it comes in place of
    tokens; 503 `second_step_unavailable` while the plugin that asks is out of order. With `cookies` the
    tokens go into cookies that scripts cannot read, for pages of this server alone.
    """
    if data["cookies"]:
        cookies.check_origin()  # or another site could sign its visitors in as somebody else
    tokens = login.log_in(email=data["email"], password=data["password"])
    return cookies.give(tokens) if data["cookies"] else tokens


@blp.post("/refresh")
@public
@body_limit(SMALL)
@blp.arguments(RefreshIn())
@blp.response(200, TokensOut())
def refresh(data: dict[str, Any]) -> dict[str, Any]:
    """Exchange a refresh token, once. 401; a token that was used before ends the whole session.

    Without one the browser's cookie is exchanged; that needs `X-CSRF-Token`, else 403 `csrf_failed`.
    """
    if "refresh_token" in data:
        return login.refresh(token=data["refresh_token"], caller=caller())
    return login.refresh_cookies(caller=caller())


@blp.post("/logout")
@require(ACCOUNT_WRITE)
@blp.response(204)
def logout() -> None:
    """End this session and all its tokens, in every process within five seconds."""
    session = principal().session_id
    if session is not None:
        login.log_out(my_id(), session)
    cookies.withdraw()


@blp.get("/me")
@require(ACCOUNT_READ)
@blp.response(200, MeOut())
def me() -> dict[str, Any]:
    """One's own account."""
    user = myself()
    who = principal()
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "avatar": user.avatar,
        "verified": user.verified,
        "locale": user.locale,
        "timezone": user.timezone,
        "preferences": user.preferences,
        "created_at": user.created_at,
        "roles": sorted(who.roles),
        "permissions": [permission.name for permission in permissions() if may(permission.name)],
        "organisation_id": organisation_id(),
        "organisations": auth().organisations.of(user.id),
        "must_change_password": who.limited_to is not None,
    }


@blp.put("/change-password")
@require(ACCOUNT_WRITE)
@body_limit(SMALL)
@blp.arguments(ChangePasswordIn())
@blp.response(200, StatusOut())
def change_password(data: dict[str, Any]) -> dict[str, str]:
    """Have another password; every other session ends. 422 a wrong current or a poor new one."""
    credentials.change(
        user_id=my_id(),
        session_id=principal().session_id,
        current=data["current_password"],
        new=data["new_password"],
        ip=caller().ip,
    )
    return {"status": "changed"}


@blp.post("/setup")
@public
@body_limit(SMALL)
@blp.arguments(SetupIn())
@blp.response(201, SetupOut())
def first_admin(data: dict[str, Any]) -> UserInfo:
    """Become the first admin, with the token printed where the server was started. Works once."""
    return setup.complete(**data)
