"""Mails through SendGrid (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from core.api import utcnow
from plugins.mail.message import mailbox
from plugins.mail.transport import Deferred, Outgoing

from . import vendor

KEY_ARGUMENT = "jobstead_key"
"""The custom argument that carries a mail's key to SendGrid and back with its events."""

_ABOUT_THE_MAIL = frozenset({400, 413})


class SendgridTransport:
    """One request a mail. SendGrid knows no key for repeated requests: an attempt whose answer was lost
    may send a second copy, with the same ``Message-ID``.

    ``options`` are the plugin's ``sendgrid`` settings.
    """

    name = "sendgrid"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def deliver(self, mail: Outgoing) -> str:
        """Hand the mail over and answer SendGrid's id of it."""
        answer = vendor.post(
            f"{self._options['base_url'].rstrip('/')}/v3/mail/send",
            key=self._options["api_key"].reveal(),
            body=_request(mail),
            timeout=self._options["timeout"],
        )
        errors = _errors(vendor.json_of(answer))
        told = "; ".join(str(error.get("message")) for error in errors)
        about_us = any(str(error.get("field")).startswith("from") for error in errors)
        try:
            vendor.judge(answer, told, about_the_mail=() if about_us else _ABOUT_THE_MAIL)
        except Deferred as fault:
            raise Deferred(str(fault), after=fault.after or _reset(answer)) from None
        return str(answer.headers.get("X-Message-Id", ""))

    def check(self) -> None:
        """There is a key; asking SendGrid would count as a request."""
        if not self._options["api_key"]:
            raise Deferred("sendgrid.api_key is not set")


def _request(mail: Outgoing) -> dict[str, Any]:
    author = mailbox(str(mail.message["From"]))
    sender = {"email": author.addr_spec}
    if author.display_name:
        sender["name"] = author.display_name
    text, html = vendor.content(mail)
    message_id = {"Message-ID": str(mail.message["Message-ID"])}
    return {
        "personalizations": [
            {"to": [{"email": mail.recipient}], "custom_args": {KEY_ARGUMENT: str(mail.key)}}
        ],
        "from": sender,
        "subject": str(mail.message["Subject"]),
        "content": [{"type": "text/plain", "value": text}, {"type": "text/html", "value": html}],
        "headers": message_id | vendor.own_headers(mail),
        # links and pictures of theirs would see what a link carries, and who reads when
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        },
    }


def _errors(said: Any) -> list[dict[str, Any]]:
    errors = said.get("errors") if isinstance(said, dict) else None
    return [error for error in errors if isinstance(error, dict)] if isinstance(errors, list) else []


def _reset(answer: Any) -> timedelta | None:
    """How long ``X-RateLimit-Reset`` (seconds since 1970) asks to wait, for a 429."""
    told = str(answer.headers.get("X-RateLimit-Reset", ""))
    if answer.status_code != 429 or not (told.isascii() and told.isdigit()) or len(told) > 12:
        return None
    wait = timedelta(seconds=int(told) - utcnow().timestamp())
    return max(timedelta(seconds=1), min(wait, vendor.LONGEST_WAIT))
