"""Time-based codes (RFC 6238): six digits, thirty seconds, SHA-1, as every authenticator app has them."""

from __future__ import annotations

import base64
import hmac
import secrets
from datetime import datetime

import segno
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

STEP = 30  # seconds
_SECRET_BYTES = 20  # as long as the hash, which RFC 4226 asks for
_AROUND = (-1, 0, 1)  # clocks differ, and typing takes time


def new_secret() -> bytes:
    """A secret to share with one authenticator app."""
    return secrets.token_bytes(_SECRET_BYTES)


def readable(secret: bytes) -> str:
    """The secret as people type it where they cannot scan: base32."""
    return base64.b32encode(secret).decode()


def address(secret: bytes, *, account: str, issuer: str) -> str:
    """The ``otpauth://`` address that an authenticator app reads."""
    return _codes(secret).get_provisioning_uri(account, issuer)


def picture(uri: str) -> str:
    """``uri`` as a QR code: an SVG as a data URI, black on white."""
    drawn: str = segno.make(uri, error="m", micro=False).svg_data_uri(scale=4, light="white")
    return drawn


def step_of(code: str, secret: bytes, *, now: datetime) -> int | None:
    """The time step that ``code`` belongs to: the present one, the one before or the one to come.

    ``None`` where it is wrong. Whether that step was used is for the caller to decide.
    """
    present, codes, found = int(now.timestamp()) // STEP, _codes(secret), None
    for step in (present + offset for offset in _AROUND):
        if hmac.compare_digest(codes.generate(step * STEP), code.encode()):
            found = step
    return found


def _codes(secret: bytes) -> TOTP:
    return TOTP(secret, 6, SHA1(), STEP)  # noqa: S303  what authenticator apps compute
