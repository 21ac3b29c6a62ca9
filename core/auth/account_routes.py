"""``/api/v1/auth`` for whoever is signed in: one's profile, preferences, sessions and address."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select

from core.access import require
from core.context import principal
from core.errors import NotFound
from core.users import UserInfo, update_preferences, update_profile
from core.web import Blueprint, body_limit

from . import address_change, devices
from .account_schemas import (
    AllPreferencesOut,
    ChangeEmailIn,
    ConfirmEmailIn,
    PreferencesIn,
    ProfileIn,
    ProfileOut,
    SessionOut,
)
from .asking import caller, my_id, myself
from .models import AuthSession
from .permissions import ACCOUNT_READ, ACCOUNT_WRITE
from .routes import SMALL
from .schemas import StatusOut

account = Blueprint("account", url_prefix="/auth")


@account.put("/profile")
@require(ACCOUNT_WRITE)
@body_limit(SMALL)
@account.arguments(ProfileIn())
@account.response(200, ProfileOut())
def change_profile(data: dict[str, Any]) -> UserInfo:
    """Change one's name or picture; what is left out stays."""
    update_profile(my_id(), **data)
    return myself()


@account.patch("/preferences")
@require(ACCOUNT_WRITE)
@body_limit(SMALL)
@account.arguments(PreferencesIn())
@account.response(200, AllPreferencesOut())
def change_preferences(data: dict[str, Any]) -> dict[str, Any]:
    """Change one's preferences; what is left out stays. 422 an unknown language, time zone or key."""
    update_preferences(my_id(), **data)
    user = myself()
    return {**user.preferences, "locale": user.locale, "timezone": user.timezone}


@account.get("/sessions")
@require(ACCOUNT_READ)
@account.page(SessionOut(), sort=("-lastUsedAt", "createdAt"))
def list_sessions() -> Select[AuthSession]:
    """Where one is signed in, what was used last first."""
    return devices.living(my_id())


@account.delete("/sessions/<uuid:session_id>")
@require(ACCOUNT_WRITE)
@account.response(204)
def end_session(session_id: UUID) -> None:
    """End one session, in every process within five seconds. 404 for what is none of one's own."""
    if not devices.end(my_id(), session_id):
        raise NotFound


@account.delete("/sessions")
@require(ACCOUNT_WRITE)
@account.response(204)
def end_other_sessions() -> None:
    """End every session but the asking one, in every process within five seconds."""
    devices.end_sessions(my_id(), but=principal().session_id)


@account.post("/change-email")
@require(ACCOUNT_WRITE)
@body_limit(SMALL)
@account.arguments(ChangeEmailIn())
@account.response(202, StatusOut())
def change_email(data: dict[str, Any]) -> dict[str, str]:
    """Have a code sent to another address of one's own.

    The answer is the same for an address that somebody has. 422 a wrong password, 429 more than
    three an hour.
    """
    address_change.ask(user_id=my_id(), current=data["current_password"], new=data["new_email"])
    return {"status": "verification_sent"}


@account.post("/change-email/confirm")
@require(ACCOUNT_WRITE)
@body_limit(SMALL)
@account.arguments(ConfirmEmailIn())
@account.response(200, StatusOut())
def confirm_email(data: dict[str, Any]) -> dict[str, str]:
    """Move to the new address with the code sent there; every other session ends, and the old address
    is told. 400 `invalid_code`; 409 somebody took the address meanwhile."""
    address_change.confirm(
        user_id=my_id(),
        session_id=principal().session_id,
        new=data["new_email"],
        code=data["code"],
        ip=caller().ip,
    )
    return {"status": "changed"}
