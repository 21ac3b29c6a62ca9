"""``/api/v1/orgs/<org>/members`` and handing an organisation over: parse, call, return."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select

from core.access import may, require
from core.auth import confirm_fresh
from core.context import principal
from core.errors import Unauthorized
from core.web import Blueprint

from . import members
from .models import Member
from .schemas import MemberFilter, MemberOut, RoleIn, TransferIn

blp = Blueprint("members", url_prefix="/orgs/<org>")


@blp.get("/members")
@require("core.member.read")
@blp.page(MemberOut(), sort=("createdAt",), filters=MemberFilter)
def index(org: str) -> Select[Member]:
    """Who belongs to the organisation, the longest first."""
    return members.listed()


@blp.put("/members/<uuid:user_id>")
@require("core.member.write")
@blp.arguments(RoleIn())
@blp.response(200, MemberOut())
def change(data: dict[str, Any], org: str, user_id: UUID) -> Member:
    """Give a member another role.

    Owners alone make and change owners; making one asks for a sign-in of a moment ago
    (403 `fresh_login_required`). 409 `last_owner`.
    """
    if data["role"] == "owner":
        confirm_fresh()
    return members.change(user_id, data["role"], by=myself())


@blp.delete("/members/<uuid:user_id>")
@require("core.organisation.read")
@blp.response(204)
def remove(org: str, user_id: UUID) -> None:
    """Remove a member; everybody may leave themselves. 409 `last_owner`."""
    members.remove(user_id, by=myself(), keeper=may("core.member.write"))


@blp.post("/transfer")
@require("core.organisation.transfer")
@blp.arguments(TransferIn())
@blp.response(200, MemberOut())
def transfer(data: dict[str, Any], org: str) -> Member:
    """Make another member the owner in one's own place, and be an admin from there on.

    403 `fresh_login_required` unless one signed in a moment ago. 409 for a personal organisation.
    """
    confirm_fresh()
    return members.transfer(data["user_id"], by=myself())


def myself() -> UUID:
    """The id of the person who asks. Raises ``Unauthorized`` where it is no person."""
    user_id = principal().user_id
    if user_id is None:
        raise Unauthorized("Sign in as a person.")
    return user_id
