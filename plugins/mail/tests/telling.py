"""Resend and SendGrid telling what became of mails, signed as they sign."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from werkzeug.test import TestResponse

from core.api import begin, db, select, utcnow
from core.testing import Databases, Instance, Person
from plugins.mail.models import MailSuppression

SECRETS = [b"first secret of these tests", b"second secret of these tests"]
KEYS = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
STRANGER = ec.generate_private_key(ec.SECP256R1())


def public(key: ec.EllipticCurvePrivateKey) -> str:
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(raw).decode()


def listening(home: Path, databases: Databases) -> Instance:
    """An instance that hears both vendors, by two secrets and keys each."""
    secrets = " ".join(f"whsec_{base64.b64encode(secret).decode()}" for secret in SECRETS)
    keys = " ".join(map(public, KEYS))
    return Instance(home, databases).plugins(
        mail={"resend": {"webhook_secret": secrets}, "sendgrid": {"webhook_key": keys}}
    )


def post(admin: Person, provider: str, body: bytes, headers: dict[str, str]) -> TestResponse:
    path = f"/api/v1/hooks/inbound/mail/{provider}"
    return admin.instance.app.test_client().post(
        path, data=body, headers=headers, content_type="application/json"
    )


def svix(body: bytes, identifier: str, *, secret: bytes = SECRETS[0], ago: float = 0) -> dict[str, str]:
    told = str(int(utcnow().timestamp() - ago))
    signature = hmac.digest(secret, f"{identifier}.{told}.".encode() + body, hashlib.sha256)
    return {
        "svix-id": identifier,
        "svix-timestamp": told,
        "svix-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def ecdsa(body: bytes, *, key: ec.EllipticCurvePrivateKey = KEYS[0], ago: float = 0) -> dict[str, str]:
    told = str(int(utcnow().timestamp() - ago))
    signature = base64.b64encode(key.sign(told.encode() + body, ec.ECDSA(SHA256()))).decode()
    return {
        "X-Twilio-Email-Event-Webhook-Signature": signature,
        "X-Twilio-Email-Event-Webhook-Timestamp": told,
    }


def of_resend(kind: str, to: str, key: Any = None, **data: Any) -> bytes:
    tags = {"jobstead_key": str(key)} if key else {}
    data = {"email_id": str(uuid4()), "to": [to], "subject": "Code", "tags": tags} | data
    return json.dumps({"type": f"email.{kind}", "created_at": "2026-11-21T12:00:00Z", "data": data}).encode()


def of_sendgrid(*events: dict[str, Any]) -> bytes:
    return json.dumps([{"sg_event_id": str(uuid4()), "timestamp": 1, **event} for event in events]).encode()


def from_resend(admin: Person, body: bytes, identifier: str | None = None) -> int:
    return post(admin, "resend", body, svix(body, identifier or f"msg_{uuid4()}")).status_code


def from_sendgrid(admin: Person, *events: dict[str, Any]) -> int:
    body = of_sendgrid(*events)
    return post(admin, "sendgrid", body, ecdsa(body)).status_code


def suppressed(admin: Person, address: str) -> str | None:
    with admin.instance.app.app_context(), begin(write=False):
        found = select(MailSuppression.reason).where(MailSuppression.address == address)
        reason: str | None = db.session.scalar(found)
        return reason


def fresh() -> str:
    return f"{uuid4().hex}@example.com"


PERMANENT = {"bounce": {"type": "Permanent", "subType": "General", "message": "550 no such user 123456"}}
TRANSIENT = {"bounce": {"type": "Transient", "subType": "MailboxFull", "message": "452 full"}}
