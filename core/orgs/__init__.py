"""Organisations: who belongs to which, and for which one a request acts."""

from __future__ import annotations

from typing import cast

from flask import Flask

from core.auth import Organisations, auth
from core.web import Server

from . import service
from .gate import choose_organisation
from .models import ROLES, Member, Organisation
from .routes import blp
from .state import Orgs, orgs

__all__ = ["ROLES", "Member", "Organisation", "Orgs", "choose_organisation", "init_app", "orgs"]


def init_app(app: Flask) -> None:
    """Serve ``/api/v1/orgs`` and tell signing in what it needs to know of organisations."""
    app.extensions["jobstead.orgs"] = Orgs()
    auth(app).organisations = Organisations(
        prepare=_prepare,
        welcome=service.welcome,
        crown=service.crown,
        default=service.default,
        of=service.listed,
    )
    cast(Server, app).mount(blp)


def _prepare() -> None:
    service.ensure_home()
