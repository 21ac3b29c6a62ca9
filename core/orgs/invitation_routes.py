"""Inviting into an organisation and joining it: parse, call, return."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select

from core.access import require
from core.auth.schemas import MembershipOut
from core.errors import Unauthorized
from core.users import find_user
from core.web import Blueprint

from . import invitations
from .member_routes import myself
from .models import Invitation
from .schemas import InvitationIn, InvitationOut

blp = Blueprint("invitations")


@blp.get("/orgs/<org>/invitations")
@require("core.member.write")
@blp.page(InvitationOut(), sort=("-createdAt", "email"))
def index(org: str) -> Select[Invitation]:
    """Invitations that wait to be taken, the newest first."""
    return invitations.listed()


@blp.post("/orgs/<org>/invitations")
@require("core.member.write")
@blp.arguments(InvitationIn())
@blp.response(201, InvitationOut())
def invite(data: dict[str, Any], org: str) -> Invitation:
    """Invite an address by mail; an earlier invitation of it holds no more.

    409 for a member's address, 429 for too many mails to one address within the hour.
    """
    return invitations.invite(**data, by=myself())


@blp.delete("/orgs/<org>/invitations/<uuid:id>")
@require("core.member.write")
@blp.response(204)
def withdraw(org: str, id: UUID) -> None:
    """Void an invitation that nobody has taken yet."""
    invitations.withdraw(id)


@blp.post("/invitations/<token>/accept")
@require("core.invitation.accept")
@blp.response(200, MembershipOut())
def accept(token: str) -> dict[str, Any]:
    """Join, with what the mail carries and the address it was sent to.

    404 for one that is used, withdrawn or too old; 403 `other_address`; 409 `already_member`.
    """
    user = find_user(myself())
    if user is None:
        raise Unauthorized("This account is gone.")
    return invitations.accept(token, user=user)
