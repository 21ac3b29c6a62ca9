"""``[plugins.mail.resend]`` and ``[plugins.mail.sendgrid]``: keys, and how what they tell is signed."""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from marshmallow import Schema

from core.api import Secret, SecretField, ValidationError, fields, validate


def signing_secrets(text: Secret) -> list[bytes]:
    """The keys behind ``whsec_...``, several separated by spaces. Raises ``ValueError``."""
    parts = [part.removeprefix("whsec_") for part in text.reveal().split()]
    keys = [base64.b64decode(part, validate=True) for part in parts]
    if not keys or not all(keys):
        raise ValueError("empty")
    return keys


def verification_keys(text: str) -> list[EllipticCurvePublicKey]:
    """The public keys behind base64 DER, several separated by spaces. Raises ``ValueError``."""
    keys = []
    for part in text.split():
        try:
            key = load_der_public_key(base64.b64decode(part, validate=True))
        except UnsupportedAlgorithm as fault:
            raise ValueError(str(fault)) from None
        if not isinstance(key, EllipticCurvePublicKey):
            raise ValueError("no ECDSA key")
        keys.append(key)
    if not keys:
        raise ValueError("empty")
    return keys


def _is_signing_secret(value: Secret) -> None:
    try:
        signing_secrets(value)
    except (ValueError, binascii.Error):
        raise ValidationError("Must be whsec_ and base64; several with spaces between.") from None


def _is_verification_key(value: str) -> None:
    try:
        verification_keys(value)
    except (ValueError, binascii.Error):
        raise ValidationError("Must be the base64 of a public key; several with spaces between.") from None


def _base_url(default: str, more: str = "") -> fields.Url:
    return fields.Url(
        load_default=default,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"description": f"Where its API is.{more}"},
    )


def _timeout() -> fields.Float:
    return fields.Float(
        load_default=10.0,
        validate=validate.Range(0.1, 25),
        metadata={"description": "Seconds a request may take."},
    )


class ResendSchema(Schema):
    """``[plugins.mail.resend]``."""

    api_key = SecretField(
        load_default=None,
        allow_none=True,
        metadata={"description": "A key that may send.", "aliases": ["RESEND_API_KEY"]},
    )
    base_url = _base_url("https://api.resend.com")
    timeout = _timeout()
    webhook_secret = SecretField(
        load_default=None,
        allow_none=True,
        validate=_is_signing_secret,
        metadata={
            "description": "Signing secret of the webhook; several with spaces between.",
            "aliases": ["RESEND_WEBHOOK_SECRET"],
        },
    )


class SendgridSchema(Schema):
    """``[plugins.mail.sendgrid]``."""

    api_key = SecretField(
        load_default=None,
        allow_none=True,
        metadata={"description": "A key with Mail Send.", "aliases": ["SENDGRID_API_KEY"]},
    )
    base_url = _base_url("https://api.sendgrid.com", " For subusers in the EU https://api.eu.sendgrid.com.")
    timeout = _timeout()
    webhook_key = fields.String(
        load_default=None,
        allow_none=True,
        validate=_is_verification_key,
        metadata={
            "description": "Verification key of the signed event webhook; several with spaces between.",
            "aliases": ["SENDGRID_WEBHOOK_KEY"],
        },
    )
