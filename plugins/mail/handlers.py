"""From facts about people to mails. All external: idempotent by the delivery's id, the mail's key."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from core.api import Delivery, find_user, get_logger, invitation_token, verification_code

from .render import SHIPPED_LOCALE
from .service import deliver

log = get_logger(__name__)

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://|www\.", re.IGNORECASE)


def send_code(event: Any, delivery: Delivery) -> None:
    """``otp.requested``: the code, derived here and now, and nowhere kept but in the mail itself."""
    try:
        code = verification_code(event.code_id)
    except LookupError:
        log.info("code is gone, no mail", delivery=str(delivery.id))
        return
    template = _CODE_MAILS.get(event.purpose, "otp")
    _tell(delivery, event.user_id, event.email, template, purpose=event.purpose, code=code)


def say_account_exists(event: Any, delivery: Delivery) -> None:
    """``user.registration_repeated``: told to the address's owner, and to nobody else."""
    _tell(delivery, event.user_id, event.email, "account_exists")


def welcome(event: Any, delivery: Delivery) -> None:
    """``user.verified``: not sooner, for until then nobody has shown that the address is theirs."""
    _tell(delivery, event.user_id, event.email, "welcome")


def say_password_changed(event: Any, delivery: Delivery) -> None:
    """``password.changed``: changed or reset, its owner hears of it."""
    _tell(delivery, event.user_id, event.email, "password_changed", ip=event.ip)


def say_email_changed(event: Any, delivery: Delivery) -> None:
    """``email.changed``: told to the old address; the new one had the code."""
    _tell(delivery, event.user_id, event.old, "email_changed", new=event.new, ip=event.ip)


def warn(event: Any, delivery: Delivery) -> None:
    """``security.alert``: something that the owner of an account should look at."""
    _tell(delivery, event.user_id, event.email, "security_alert", kind=event.kind, ip=event.ip)


def invite(event: Any, delivery: Delivery) -> None:
    """``invitation.created``: what it takes to join, derived here and now, and kept in the mail alone.

    Whoever is invited may be unknown here, so the mail is in the language of who invites.
    """
    try:
        token = invitation_token(event.invitation_id)
    except LookupError:
        log.info("invitation is gone, no mail", delivery=str(delivery.id))
        return
    inviter, locale = _person(event.invited_by)
    deliver(
        delivery.id,
        to=event.email,
        template="invitation",
        context={
            "inviter": _readable(inviter),
            "organisation": _readable(event.organisation),
            "role": event.role,
            "token": token,
        },
        locale=locale,
        organisation=delivery.organisation_id,
    )


def say_account_created(event: Any, delivery: Delivery) -> None:
    """``user.invited``: how to begin with an account that an admin made."""
    _tell(delivery, event.user_id, event.email, "account_created", has_password=event.has_password)


def _tell(delivery: Delivery, user_id: UUID, to: str, template: str, **more: object) -> None:
    """Send ``template`` to somebody who has an account, in their language."""
    name, locale = _person(user_id)
    context = {"name": _readable(name), **more}
    deliver(
        delivery.id,
        to=to,
        template=template,
        context=context,
        locale=locale,
        organisation=delivery.organisation_id,
    )


def _person(user_id: UUID) -> tuple[str, str]:
    user = find_user(user_id)
    return (user.name, user.locale) if user is not None else ("", SHIPPED_LOCALE)


def _readable(name: str) -> str:
    """A name on one line, in which a mail program finds no address to make a link of."""
    return _ADDRESS.sub("", " ".join(name.split()))


TABLE = (
    ("otp.requested", send_code),
    ("user.registration_repeated", say_account_exists),
    ("user.verified", welcome),
    ("password.changed", say_password_changed),
    ("email.changed", say_email_changed),
    ("security.alert", warn),
    ("invitation.created", invite),
    ("user.invited", say_account_created),
)

_CODE_MAILS = {"reset": "password_reset"}
"""The template for a code of this purpose; the others have ``otp``."""
