"""From facts about people to mails. All external: idempotent by the delivery's id, the mail's key."""

from __future__ import annotations

from typing import Any

from core.api import Delivery, find_user, get_logger, invitation_token, reset_link, verification_code

from . import notices
from .service import deliver

log = get_logger(__name__)


def send_code(event: Any, delivery: Delivery) -> None:
    """``otp.requested``: the code, derived here and now, and nowhere kept but in the mail itself."""
    try:
        code = verification_code(event.code_id)
    except LookupError:
        log.info("code is gone, no mail", delivery=str(delivery.id))
        return
    context = {"name": _name(event.user_id), "purpose": event.purpose, "code": code}
    if event.purpose == "reset":
        context["link"] = reset_link(event.code_id)
    deliver(delivery.id, to=event.email, template=_CODE_MAILS.get(event.purpose, "otp"), context=context)


def say_account_exists(event: Any, delivery: Delivery) -> None:
    """``user.registration_repeated``: told to the address's owner, and to nobody else."""
    deliver(delivery.id, to=event.email, template="account_exists", context={"name": _name(event.user_id)})


def welcome(event: Any, delivery: Delivery) -> None:
    """``user.verified``: not sooner, for until then nobody has shown that the address is theirs."""
    deliver(delivery.id, to=event.email, template="welcome", context={"name": _name(event.user_id)})


def say_password_changed(event: Any, delivery: Delivery) -> None:
    """``password.changed``: changed or reset, its owner hears of it."""
    context = {"name": _name(event.user_id), "ip": event.ip}
    deliver(delivery.id, to=event.email, template="password_changed", context=context)


def say_email_changed(event: Any, delivery: Delivery) -> None:
    """``email.changed``: told to the old address; the new one had the code, or an admin knows it."""
    context = {"name": _name(event.user_id), "new": event.new, "ip": event.ip, "by_admin": event.by_admin}
    deliver(delivery.id, to=event.old, template="email_changed", context=context)


def warn(event: Any, delivery: Delivery) -> None:
    """``security.alert``: something that the owner of an account should look at."""
    context = {"name": _name(event.user_id), "kind": event.kind, "ip": event.ip}
    deliver(delivery.id, to=event.email, template="security_alert", context=context)


def invite(event: Any, delivery: Delivery) -> None:
    """``invitation.created``: what it takes to join, derived here and now, and kept in the mail alone."""
    try:
        token = invitation_token(event.invitation_id)
    except LookupError:
        log.info("invitation is gone, no mail", delivery=str(delivery.id))
        return
    context = {
        "inviter": _name(event.invited_by),
        "organisation": event.organisation,
        "role": event.role,
        "token": token,
    }
    deliver(delivery.id, to=event.email, template="invitation", context=context)


def say_account_created(event: Any, delivery: Delivery) -> None:
    """``user.invited``: how to begin with an account that an admin made."""
    context = {"name": event.name, "has_password": event.has_password}
    deliver(delivery.id, to=event.email, template="account_created", context=context)


def _name(user_id: Any) -> str:
    user = find_user(user_id)
    return user.name if user is not None else ""


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
