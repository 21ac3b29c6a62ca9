"""Organisations: who belongs to which, and for which one a request acts."""

from __future__ import annotations

from typing import cast

from flask import Flask

from core.auth import Organisations, auth
from core.engine import register_events, register_job, register_schedule
from core.web import Server

from . import ending, invitation_routes, member_routes, routes, service
from .events import EVENTS
from .gate import choose_organisation, home_organisation
from .invitations import invitation_token
from .models import ROLES, Member, Organisation
from .service import OrganisationInfo, find_organisation, organisation_owners
from .state import Orgs, orgs

__all__ = [
    "ROLES",
    "Member",
    "Organisation",
    "OrganisationInfo",
    "Orgs",
    "choose_organisation",
    "find_organisation",
    "home_organisation",
    "init_app",
    "invitation_token",
    "organisation_owners",
    "orgs",
]


def init_app(app: Flask) -> None:
    """Serve ``/api/v1/orgs`` and tell signing in what it needs to know of organisations."""
    app.extensions["jobstead.orgs"] = Orgs()
    auth(app).organisations = Organisations(
        prepare=_prepare,
        welcome=service.welcome,
        crown=service.crown,
        default=service.default,
        of=service.listed,
        release=ending.release,
        bury=ending.bury,
        figures=service.figures,
    )
    register_events(app, "core", EVENTS)
    register_job(app, "core", "purge_organisations", ending.purge, timeout=3600)
    register_schedule(
        app,
        "core",
        "purge_organisations",
        job="core.purge_organisations",
        cron="37 * * * *",
        policy="once",
    )
    for group in (routes.blp, member_routes.blp, invitation_routes.blp):
        cast(Server, app).mount(group)


def _prepare() -> None:
    service.ensure_home()
