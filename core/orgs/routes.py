"""``/api/v1/orgs``: parse, call, return."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from core.access import require
from core.context import organisation_id, principal
from core.errors import Unauthorized
from core.web import Blueprint

from . import service
from .models import Organisation
from .schemas import OrganisationIn, OrganisationOut

blp = Blueprint("orgs", url_prefix="/orgs")


@blp.get("")
@require("core.organisation.list")
@blp.page(OrganisationOut(), sort=("createdAt", "name"))
def index() -> Select[Organisation]:
    """The organisations one belongs to, the oldest first."""
    user_id = principal().user_id
    if user_id is None:
        raise Unauthorized("Sign in as a person.")
    return service.mine(user_id)


@blp.post("")
@require("core.organisation.create")
@blp.arguments(OrganisationIn())
@blp.response(201, OrganisationOut())
def create(data: dict[str, Any]) -> Organisation:
    """Create an organisation and own it. 409 a slug that is taken."""
    user_id = principal().user_id
    if user_id is None:
        raise Unauthorized("Sign in as a person.")
    return service.create(**data, user_id=user_id)


@blp.get("/<org>")
@require("core.organisation.read")
@blp.response(200, OrganisationOut())
def show(org: str) -> Select[Organisation]:
    """One organisation, by id or slug. 404 for who does not belong to it."""
    return select(Organisation).where(Organisation.id == organisation_id())
