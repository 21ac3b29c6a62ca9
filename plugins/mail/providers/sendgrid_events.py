"""What SendGrid tells (https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event), signed
with ECDSA (.../tracking-events/getting-started-event-webhook-security-features)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from plugins.mail.config_vendors import verification_keys
from plugins.mail.tidings import Forged, Tiding, key_of, moment_of, words_of
from plugins.mail.transport import quoted

from .sendgrid import KEY_ARGUMENT

_WINDOW = 86_400.0
"""Seconds. SendGrid repeats for a day what it could not hand over, and does not say whether it signs anew."""

_SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
_TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"

_STATUSES = {
    "processed": "sent",
    "delivered": "delivered",
    "bounce": "bounced",
    "dropped": "failed",
    "spamreport": "complained",
}
_DROPPED = {
    "bounced address": "suppressed",
    "invalid": "suppressed",
    "spam reporting address": "suppressed",
    "unsubscribed address": "suppressed",
}
_LASTING = {"bounced address", "invalid"}


class SendgridEvents:
    """Reads SendGrid's event webhook; ``key`` holds one or more verification keys."""

    name = "sendgrid"

    def __init__(self, key: str) -> None:
        self._keys = verification_keys(key)

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> list[Tiding]:
        self._verify(headers.get(_SIGNATURE), headers.get(_TIMESTAMP), body, now)
        events = json.loads(body)
        if not isinstance(events, list):
            raise ValueError("this is no list of SendGrid's events")
        found = [_tiding(event) for event in events if isinstance(event, dict)]
        return [tiding for tiding in found if tiding is not None]

    def _verify(self, signature: str | None, told: str | None, body: bytes, now: datetime) -> None:
        moment_of(told, now, oldest=_WINDOW)
        try:
            given = base64.b64decode(signature or "", validate=True)
        except (binascii.Error, ValueError):
            raise Forged("the signature is no base64") from None
        signed = str(told).encode() + body
        for key in self._keys:
            try:
                key.verify(given, signed, ECDSA(SHA256()))
            except InvalidSignature:
                continue
            return
        raise Forged("the signature does not fit")


def _tiding(event: dict[str, Any]) -> Tiding | None:
    status = _STATUSES.get(str(event.get("event")))
    if status is None:
        return None
    reason = words_of(event.get("reason"), 1000) or words_of(event.get("response"), 1000) or ""
    if status == "failed":
        status = _DROPPED.get(reason.lower(), "failed")
    hard = status == "bounced" and event.get("type") != "blocked"  # blocked: this mail, not every one
    return Tiding(
        id=_id(event),
        status=status,
        key=key_of(event.get(KEY_ARGUMENT)),
        reference=(words_of(event.get("sg_message_id")) or "").partition(".")[0] or None,
        recipient=words_of(event.get("email"), 1000),
        reason=quoted(reason) or None,
        permanent=hard or reason.lower() in _LASTING,
    )


def _id(event: dict[str, Any]) -> str:
    """SendGrid's id of the event; where it has none, one that the same event has again."""
    given = event.get("sg_event_id")
    if given and given == words_of(given):
        return str(given)
    return hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
