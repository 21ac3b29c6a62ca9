"""``/api/v1/users``: parse, call, return."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from sqlalchemy import Select

from core.access import require
from core.auth.permissions import ACCOUNT_READ, ACCOUNT_WRITE
from core.users import User
from core.web import Blueprint, body_limit, costly

from . import figures, people
from .schemas import DashboardOut, RolesIn, StatsOut, SuspendIn, UserChange, UserFilter, UserIn, UserOut, held

blp = Blueprint("users", url_prefix="/users")
SMALL = 16_384
"""Bytes of a body that may hold a password."""


@blp.get("")
@require("core.user.read")
@blp.page(UserOut(), sort=("-createdAt", "email", "name"), filters=UserFilter)
def index() -> Select[User]:
    """People of the instance, the newest first; those deleted by `status=deleted` alone."""
    return people.listed(deleted=request.args.get("status") == "deleted")


@blp.post("")
@require("core.user.write")
@costly
@body_limit(SMALL)
@blp.arguments(UserIn())
@blp.response(201, UserOut())
def create(data: dict[str, Any]) -> User:
    """Make an account for somebody, who hears of it by mail.

    A password given here must be changed at the first log-in. 409 a known address.
    """
    return people.create(
        email=data["email"],
        name=data["name"],
        password=data["password"],
        held=held(data),
        verified=data["verified"],
    )


@blp.get("/stats")
@require("core.user.read")
@blp.response(200, StatsOut())
def stats() -> dict[str, Any]:
    """How many people there are, by standing and role, and how many came of late."""
    return figures.stats()


@blp.get("/dashboard")
@require("core.user.read")
@blp.response(200, DashboardOut())
def dashboard() -> dict[str, Any]:
    """What an admin looks at first."""
    return figures.dashboard()


@blp.get("/<uuid:id>")
@require(ACCOUNT_READ)
@blp.response(200, UserOut())
def show(id: UUID) -> Select[User]:
    """One person: oneself, or for admins anybody. 404 for others."""
    return people.visible(id)


@blp.put("/<uuid:id>")
@require(ACCOUNT_WRITE)
@blp.arguments(UserChange())
@blp.response(200, UserOut())
def change(data: dict[str, Any], id: UUID) -> User:
    """Change what is given, of oneself or for admins of anybody not above them.

    Address and verification are for admins; another address must be verified again. 409 one that is taken.
    """
    return people.change(id, data)


@blp.delete("/<uuid:id>")
@require("core.user.delete")
@blp.response(204)
def remove(id: UUID) -> None:
    """Delete somebody: out at once, and gone with all that is theirs when the grace is over.

    409 `last_superadmin`, `last_owner` (of organisations that others use) or `yourself`.
    """
    people.remove(id)


@blp.put("/<uuid:id>/role")
@require("core.role.assign")
@blp.arguments(RolesIn())
@blp.response(200, UserOut())
def assign(data: dict[str, Any], id: UUID) -> User:
    """Let somebody hold exactly this role, or these; losing one ends sessions. 409 `last_superadmin`."""
    return people.assign(id, held(data) or ())


@blp.post("/<uuid:id>/suspend")
@require("core.user.write")
@blp.arguments(SuspendIn(), required=False)
@blp.response(200, UserOut())
def suspend(data: dict[str, Any], id: UUID) -> User:
    """Keep somebody out, in every process within five seconds; `suspended: false` lets them in again.

    That brings back who was deleted too, while the grace lasts. 409 `last_superadmin` or `yourself`.
    """
    return people.suspend(id, data["reason"]) if data["suspended"] else people.reinstate(id)
