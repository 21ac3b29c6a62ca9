"""What Resend tells (https://resend.com/docs/webhooks/event-types), signed as Svix does
(https://docs.svix.com/receiving/verifying-payloads/how-manual)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.api import Secret
from plugins.mail.config_vendors import signing_secrets
from plugins.mail.tidings import Forged, Tiding, key_of, moment_of, words_of
from plugins.mail.transport import quoted

from .resend import KEY_TAG

_WINDOW = 300.0  # seconds, as Svix recommends

_STATUSES = {
    "email.sent": "sent",
    "email.delivered": "delivered",
    "email.bounced": "bounced",
    "email.complained": "complained",
    "email.suppressed": "suppressed",
    "email.failed": "failed",
}
_DETAILS = {"bounced": "bounce", "suppressed": "suppressed", "failed": "failed"}


class ResendEvents:
    """Reads Resend's webhooks; ``secret`` holds one or more signing secrets."""

    name = "resend"

    def __init__(self, secret: Secret) -> None:
        self._keys = signing_secrets(secret)

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[Tiding]:
        identifier = self._verified(headers, body, now)
        event = json.loads(body)
        if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
            raise ValueError("this is no event of Resend's")
        status = _STATUSES.get(str(event.get("type")))
        return [_tiding(identifier, status, event["data"])] if status is not None else []

    def _verified(self, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
        """The id of the message, its signature checked."""
        identifier, told, signatures = (_header(headers, name) for name in ("id", "timestamp", "signature"))
        moment_of(told, now, oldest=_WINDOW)
        if not identifier or not signatures or len(identifier) > 200:
            raise Forged("the signature is missing")
        signed = f"{identifier}.{told}.".encode() + body
        wanted = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in self._keys]
        given = [part.removeprefix("v1,").encode() for part in signatures.split() if part.startswith("v1,")]
        if not any(hmac.compare_digest(each, one) for each in given for one in wanted):
            raise Forged("the signature does not fit")
        return identifier


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return headers.get(f"svix-{name}") or headers.get(f"webhook-{name}")


def _tiding(identifier: str, status: str, data: dict[str, Any]) -> Tiding:
    to = data.get("to")
    first = to[0] if isinstance(to, list) and to else to
    detail = data.get(_DETAILS.get(status, ""))
    words = detail if isinstance(detail, dict) else {}
    said = [words_of(words.get(name)) for name in ("type", "subType", "message", "reason")]
    return Tiding(
        id=identifier,
        status=status,
        key=key_of(_tag(data.get("tags"))),
        reference=words_of(data.get("email_id")),
        recipient=words_of(first, 1000),
        reason=quoted(" ".join(word for word in said if word)) or None,
        permanent=status == "suppressed" or (status == "bounced" and words.get("type") == "Permanent"),
    )


def _tag(tags: object) -> object:
    """Our tag: Resend tells tags as an object, and told them as a list of pairs."""
    if isinstance(tags, dict):
        return tags.get(KEY_TAG)
    pairs = [tag for tag in tags if isinstance(tag, dict)] if isinstance(tags, list) else []
    return next((tag.get("value") for tag in pairs if tag.get("name") == KEY_TAG), None)
