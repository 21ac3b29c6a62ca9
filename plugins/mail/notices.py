"""Mails about what others did to an account or an organisation; idempotent by the delivery's id."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid5

from core.api import Delivery, find_user, organisation_owners

from .accounts import readable, tell
from .service import deliver


def say_suspended(event: Any, delivery: Delivery) -> None:
    """``user.suspended``: whoever cannot sign in shall know why nothing works."""
    _tell(event, delivery, "suspended")


def say_reinstated(event: Any, delivery: Delivery) -> None:
    """``user.reinstated``."""
    _tell(event, delivery, "reinstated")


def say_deleted(event: Any, delivery: Delivery) -> None:
    """``user.deleted``: while it can still be taken back."""
    _tell(event, delivery, "deleted", until=_day(event.erased_at))


def say_roles_changed(event: Any, delivery: Delivery) -> None:
    """``user.roles_changed``: what somebody may do on the whole instance is another thing now."""
    _tell(event, delivery, "roles_changed", roles=", ".join(event.roles))


def say_ending(event: Any, delivery: Delivery) -> None:
    """``organisation.deletion_scheduled``: told to each of its owners."""
    _tell_owners(event, delivery, "deletion_scheduled", until=_day(event.deletes_at))


def say_staying(event: Any, delivery: Delivery) -> None:
    """``organisation.restored``: told to each of its owners."""
    _tell_owners(event, delivery, "restored")


def _tell(event: Any, delivery: Delivery, kind: str, *, until: str = "", roles: str = "") -> None:
    user = find_user(event.user_id)
    if user is not None:
        tell(delivery, user.id, user.email, "account_notice", kind=kind, until=until, roles=roles)


def _tell_owners(event: Any, delivery: Delivery, kind: str, *, until: str = "") -> None:
    """In the words of the organisation, and in each owner's language."""
    if delivery.organisation_id is None:
        return
    for owner in organisation_owners(delivery.organisation_id):
        deliver(
            uuid5(delivery.id, str(owner.id)),
            to=owner.email,
            template="organisation_notice",
            context={
                "name": readable(owner.name),
                "organisation": readable(event.name),
                "kind": kind,
                "until": until,
            },
            locale=owner.locale,
            organisation=delivery.organisation_id,
        )


def _day(moment: datetime | None) -> str:
    return moment.date().isoformat() if moment is not None else ""


TABLE = (
    ("user.suspended", say_suspended),
    ("user.reinstated", say_reinstated),
    ("user.deleted", say_deleted),
    ("user.roles_changed", say_roles_changed),
    ("organisation.deletion_scheduled", say_ending),
    ("organisation.restored", say_staying),
)
