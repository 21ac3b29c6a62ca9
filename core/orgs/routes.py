"""``/api/v1/orgs``: parse, call, return."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from core.access import require
from core.auth import confirm_fresh
from core.context import organisation_id
from core.web import Blueprint

from . import ending, service
from .member_routes import myself
from .models import Organisation
from .schemas import OrganisationIn, OrganisationOut, OrganisationPatch

blp = Blueprint("orgs", url_prefix="/orgs")


@blp.get("")
@require("core.organisation.list")
@blp.page(OrganisationOut(), sort=("createdAt", "name"))
def index() -> Select[Organisation]:
    """The organisations one belongs to, the oldest first."""
    return service.mine(myself())


@blp.post("")
@require("core.organisation.create")
@blp.arguments(OrganisationIn())
@blp.response(201, OrganisationOut())
def create(data: dict[str, Any]) -> Organisation:
    """Create an organisation and own it. 409 a slug that is taken."""
    return service.create(**data, user_id=myself())


@blp.get("/<org>")
@require("core.organisation.read")
@blp.response(200, OrganisationOut())
def show(org: str) -> Select[Organisation]:
    """One organisation, by id or slug. 404 for who does not belong to it."""
    return select(Organisation).where(Organisation.id == organisation_id())


@blp.patch("/<org>")
@require("core.organisation.write")
@blp.arguments(OrganisationPatch())
@blp.response(200, OrganisationOut())
def edit(data: dict[str, Any], org: str) -> Organisation:
    """Change what is given: name, slug, locale, and within branding what is given there.

    In branding `null` takes a value away. 409 a slug that is taken.
    """
    return service.edit(data)


@blp.delete("/<org>")
@require("core.organisation.delete")
@blp.response(202, OrganisationOut())
def delete(org: str) -> Organisation:
    """Have it deleted with all its rows when the grace is over, at `deletesAt`.

    403 `fresh_login_required` unless one signed in a moment ago. 409 for a personal organisation
    and the home of the instance.
    """
    confirm_fresh()
    return ending.schedule(by=myself())


@blp.post("/<org>/restore")
@require("core.organisation.delete")
@blp.response(200, OrganisationOut())
def restore(org: str) -> Organisation:
    """Keep an organisation after all that is to be deleted."""
    return ending.restore()
