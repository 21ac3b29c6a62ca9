"""``/api/v1/auth`` for whoever is signed in: one's profile, preferences, sessions and address."""

from __future__ import annotations

from typing import Any

from core.access import require
from core.users import UserInfo, update_preferences, update_profile
from core.web import Blueprint, body_limit

from .account_schemas import AllPreferencesOut, PreferencesIn, ProfileIn, ProfileOut
from .asking import my_id, myself
from .permissions import ACCOUNT_WRITE
from .routes import SMALL

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
