"""Mails through Resend (https://resend.com/docs/api-reference/emails/send-email)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.mail.transport import Deferred, Outgoing

from . import vendor

KEY_TAG = "jobstead_key"
"""The tag that carries a mail's key to Resend and back with what it tells of the mail."""

_ABOUT_THE_MAIL = frozenset({400, 413, 422, 451})
_ABOUT_US = frozenset({"invalid_from_address", "invalid_api_key", "restricted_api_key", "invalid_access"})


class ResendTransport:
    """One request a mail. Its key is the ``Idempotency-Key``, so a second attempt sends nothing twice.

    A request that was refused for what it says of the mail is ``Refused``; one about the account, its
    limits or its domain is ``Deferred``. ``options`` are the plugin's ``resend`` settings.
    """

    name = "resend"

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def deliver(self, mail: Outgoing) -> str:
        """Hand the mail over and answer Resend's id of it."""
        answer = vendor.post(
            f"{self._options['base_url'].rstrip('/')}/emails",
            key=self._options["api_key"].reveal(),
            body=_request(mail),
            timeout=self._options["timeout"],
            headers={"Idempotency-Key": str(mail.key)},
        )
        said = vendor.json_of(answer)
        words = said if isinstance(said, dict) else {}
        if answer.status_code == 409 and words.get("name") == "invalid_idempotent_request":
            return ""  # a first attempt was taken, and a template changed since: one mail is enough
        refusing = frozenset() if words.get("name") in _ABOUT_US else _ABOUT_THE_MAIL
        vendor.judge(answer, _told(words), about_the_mail=refusing)
        return str(words.get("id") or "")

    def check(self) -> None:
        """There is a key; asking Resend would cost a request of a rate that is small."""
        if not self._options["api_key"]:
            raise Deferred("resend.api_key is not set")


def _request(mail: Outgoing) -> dict[str, Any]:
    text, html = vendor.content(mail)
    return {
        "from": str(mail.message["From"]),
        "to": [mail.recipient],
        "subject": str(mail.message["Subject"]),
        "text": text,
        "html": html,
        "headers": vendor.own_headers(mail),
        "tags": [{"name": KEY_TAG, "value": str(mail.key)}],
    }


def _told(words: Mapping[str, Any]) -> str:
    return " ".join(str(words[name]) for name in ("name", "message") if words.get(name))
