"""From facts about people to mails. All external: idempotent by the delivery's id, the mail's key."""

from __future__ import annotations

from typing import Any

from core.api import (
    Delivery,
    find_user,
    get_logger,
    invitation_token,
    reset_link,
    settings,
    verification_code,
)

from . import notices
from .accounts import readable, tell
from .render import SHIPPED_LOCALE
from .service import deliver

log = get_logger(__name__)


def send_code(event: Any, delivery: Delivery) -> None:
    """``otp.requested``: the code, derived here and now, and nowhere kept but in the mail itself."""
    more = {"purpose": event.purpose}
    try:
        more["code"] = verification_code(event.code_id)
        if event.purpose == "reset":
            more["link"] = reset_link(event.code_id)
    except LookupError:
        log.info("code is gone, no mail", delivery=str(delivery.id))
        return
    tell(delivery, event.user_id, event.email, _CODE_MAILS.get(event.purpose, "otp"), **more)


def say_account_exists(event: Any, delivery: Delivery) -> None:
    """``user.registration_repeated``: told to the address's owner, and to nobody else."""
    tell(delivery, event.user_id, event.email, "account_exists")


def welcome(event: Any, delivery: Delivery) -> None:
    """``user.verified``: not sooner, for until then nobody has shown that the address is theirs."""
    tell(delivery, event.user_id, event.email, "welcome")


def say_password_changed(event: Any, delivery: Delivery) -> None:
    """``password.changed``: changed or reset, its owner hears of it."""
    tell(delivery, event.user_id, event.email, "password_changed", ip=event.ip)


def say_email_changed(event: Any, delivery: Delivery) -> None:
    """``email.changed``: told to the old address; the new one had the code, or an admin knows it.

    Where an admin did it the old one may belong to a stranger, who learns nothing of the new one.
    """
    new, ip = ("", "") if event.by_admin else (event.new, event.ip)
    user = find_user(event.user_id)
    name = user.name if user is not None and not event.by_admin else ""
    more = {"name": readable(name), "new": new, "ip": ip, "by_admin": event.by_admin}
    tell(delivery, event.user_id, event.old, "email_changed", **more)


def warn(event: Any, delivery: Delivery) -> None:
    """``security.alert``: something that the owner of an account should look at."""
    tell(delivery, event.user_id, event.email, "security_alert", kind=event.kind, ip=event.ip)


def invite(event: Any, delivery: Delivery) -> None:
    """``invitation.created``: what it takes to join, derived here and now, and kept in the mail alone.

    Whoever is invited may be unknown here, so the mail is in the language of who invites.
    """
    try:
        token = invitation_token(event.invitation_id)
    except LookupError:
        log.info("invitation is gone, no mail", delivery=str(delivery.id))
        return
    inviter = find_user(event.invited_by)
    deliver(
        delivery.id,
        to=event.email,
        template="invitation",
        context={
            "inviter": readable(inviter.name if inviter is not None else ""),
            "organisation": readable(event.organisation),
            "role": event.role,
            "token": token,
            "link": _to_join(token),
        },
        locale=inviter.locale if inviter is not None else SHIPPED_LOCALE,
        organisation=delivery.organisation_id,
    )


def _to_join(token: str) -> str | None:
    """The front end's page for it; this server has none, so without a front end the mail holds the token."""
    front_end = settings("mail")["site_url"]
    return f"{front_end.rstrip('/')}/invitations/{token}" if front_end else None


def say_account_created(event: Any, delivery: Delivery) -> None:
    """``user.invited``: how to begin with an account that an admin made, who also wrote the name."""
    user = find_user(event.user_id)
    name = readable(user.name if user is not None else "")
    more = {"name": name, "has_password": event.has_password}
    tell(delivery, event.user_id, event.email, "account_created", **more)


TABLE = (
    ("otp.requested", send_code),
    ("user.registration_repeated", say_account_exists),
    ("user.verified", welcome),
    ("password.changed", say_password_changed),
    ("email.changed", say_email_changed),
    ("security.alert", warn),
    ("invitation.created", invite),
    ("user.invited", say_account_created),
    *notices.TABLE,
)

_CODE_MAILS = {"reset": "password_reset"}
"""The template for a code of this purpose; the others have ``otp``."""
