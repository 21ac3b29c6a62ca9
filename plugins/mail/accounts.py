"""Mails to people who have an account: in their language, and by their name where the address is theirs."""

from __future__ import annotations

import re
from uuid import UUID

from core.api import Delivery, UserInfo, find_user

from .render import SHIPPED_LOCALE
from .service import deliver

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)


def tell(delivery: Delivery, user_id: UUID, to: str, template: str, **more: object) -> None:
    """Send ``template`` to ``to``, somebody's address or one that they say is theirs.

    Only a confirmed address is greeted by name: a stranger who registers another's must not put words
    into our mail. ``more`` may name them all the same.
    """
    user = find_user(user_id)
    name = user.name if user is not None and _confirmed(user, to) else ""
    deliver(
        delivery.id,
        to=to,
        template=template,
        context={"name": readable(name), **more},
        locale=user.locale if user is not None else SHIPPED_LOCALE,
        organisation=delivery.organisation_id,
    )


def readable(name: str) -> str:
    """A name on one line, in which a mail program finds no address to make a link of."""
    return _ADDRESS.sub("", " ".join(name.split()))


def _confirmed(user: UserInfo, address: str) -> bool:
    return user.verified and user.email == address
