"""People: their rows, how to find one, and the facts about them."""

from __future__ import annotations

from flask import Flask

from core.engine import register_events

from .address import normalise
from .events import EVENTS, UserCreated, UserLogin, UserUpdated, UserVerified
from .models import ROLES, Role, User, UserRole
from .preferences import update_preferences
from .profile import update_profile
from .service import (
    UserInfo,
    change_address,
    create_user,
    find_by_email,
    find_user,
    grant_role,
    mark_verified,
    note_login,
    rename,
    revoke_role,
    roles_of,
    someone_holds,
)
from .written import LOCALE, no_address, presentable, printable, time_zone

__all__ = [
    "LOCALE",
    "ROLES",
    "Role",
    "User",
    "UserCreated",
    "UserInfo",
    "UserLogin",
    "UserRole",
    "UserUpdated",
    "UserVerified",
    "change_address",
    "create_user",
    "find_by_email",
    "find_user",
    "grant_role",
    "init_app",
    "mark_verified",
    "no_address",
    "normalise",
    "note_login",
    "presentable",
    "printable",
    "rename",
    "revoke_role",
    "roles_of",
    "someone_holds",
    "time_zone",
    "update_preferences",
    "update_profile",
]


def init_app(app: Flask) -> None:
    """Make the facts about people known to ``app``."""
    register_events(app, "core", EVENTS)
