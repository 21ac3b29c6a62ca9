"""Signing in: passwords, codes, tokens, sessions, and the first admin."""

from __future__ import annotations

from typing import cast

from flask import Flask

from core.access import Permissions
from core.config import Config
from core.crypto import Keyring
from core.engine import register_events, register_job, register_schedule
from core.web import Server, web

from . import admin, cleanup, cookies, failures, permissions, setup
from .account_routes import account
from .codes import verification_code
from .events import EVENTS, EmailChanged, OtpRequested, PasswordChanged, RegistrationRepeated, SecurityAlert
from .fresh import confirm_fresh
from .gate import authenticate
from .links import reset_link
from .pages import pages
from .routes import blp
from .state import Auth, Organisations, auth, make

__all__ = [
    "Auth",
    "EmailChanged",
    "Organisations",
    "OtpRequested",
    "PasswordChanged",
    "RegistrationRepeated",
    "SecurityAlert",
    "auth",
    "authenticate",
    "confirm_fresh",
    "init_app",
    "reset_link",
    "setup",
    "verification_code",
]


def init_app(app: Flask, config: Config) -> None:
    """Serve ``/api/v1/auth``, the key set and the setup page; declare core's permissions and facts."""
    keyring = cast(Keyring, app.extensions["jobstead.keyring"])
    # the instance's name in tokens: its own and lasting, whatever address it is reached by
    instance = f"urn:jobstead:{keyring.derive('instance.name').hex()[:24]}"
    app.extensions["jobstead.auth"] = make(config, instance=instance)
    registry = cast(Permissions, app.extensions["jobstead.permissions"])
    permissions.declare(registry)
    made = app.extensions["jobstead.roles"] = admin.CustomRoles()
    registry.custom = made.granted
    register_events(app, "core", (*EVENTS, *admin.EVENTS))
    register_job(app, "core", "purge_users", admin.purge_users, timeout=3600)
    register_schedule(app, "core", "purge_users", job="core.purge_users", cron="47 * * * *", policy="once")
    cleanup.register(app)
    failures.register(app)
    web(app).credentials.append(cookies.CREDENTIAL)
    server = cast(Server, app)
    for group in (blp, account, *admin.BLUEPRINTS):
        server.mount(group)
    server.mount(pages, prefix="")
