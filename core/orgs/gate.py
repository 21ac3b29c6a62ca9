"""The gate that decides for which organisation a request acts; every row is scoped to it from there on."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from flask import request

from core.context import Principal, acting_as, principal, within
from core.db import begin, current_unit
from core.errors import NotFound
from core.web import ViewInfo, hold

from . import service
from .state import Membership, orgs


def choose_organisation(view: ViewInfo) -> None:
    """Act for the organisation of the path (``<org>``), else of ``X-Org``, else the session's.

    Either takes an id or a slug. Who is no member gets 404, as for one that does not exist.
    Callers nobody knows act for the home organisation on plugins' public routes, and for none elsewhere.
    """
    who = principal()
    asked = (request.view_args or {}).get("org") or request.headers.get("X-Org")
    if who.user_id is None:
        _as_a_guest(view, str(asked) if asked else None)
        return
    membership = _named(who.user_id, str(asked)) if asked else _usual(who, who.user_id)
    if membership is not None:
        who = replace(who, organisation_id=membership.organisation_id, organisation_role=membership.role)
        hold(acting_as(who))
        hold(within(membership.organisation_id))
    elif view.plugin != "core":
        raise NotFound("You belong to no organisation.", code="no_organisation")


def _named(user_id: UUID, which: str) -> Membership:
    found = orgs().memberships.find(user_id, which)
    if found is None:
        raise NotFound
    return found


def _usual(who: Principal, user_id: UUID) -> Membership | None:
    """The session's organisation; another of theirs when they left that one."""
    known = orgs().memberships
    if who.organisation_id is not None:
        found = known.find(user_id, str(who.organisation_id))
        if found is not None:
            return found
    with begin(write=False):
        other = service.default(user_id)
    return known.find(user_id, str(other)) if other is not None else None


def _as_a_guest(view: ViewInfo, asked: str | None) -> None:
    if view.access.permission is not None or view.plugin == "core":
        return  # refused by what the route asks for, or nothing of an organisation's is shown
    home = home_organisation()
    if asked not in (None, service.HOME, str(home)):
        raise NotFound
    hold(within(home))


def home_organisation() -> UUID:
    """The id of the organisation that stands for the instance.

    Reads in the open unit of work where that has begun; it begins none that has not.
    """
    parts = orgs()
    if parts.home is None:
        found = _home()
        if found is None:
            with begin():
                found = service.ensure_home()
        parts.home = found
    return parts.home


def _home() -> UUID | None:
    unit = current_unit()
    if unit is not None and unit.begun:  # a second connection for each of a crowd is one too many
        return service.home()
    with begin(write=False):
        return service.home()
