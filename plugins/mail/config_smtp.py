"""``[plugins.mail.smtp]``: how a server is reached."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from marshmallow import Schema

from core.api import SecretField, ValidationError, fields, validate, validates_schema

PORTS = {"starttls": 587, "tls": 465, "none": 25}
_NODEMAILER = {"true": "tls", "false": "starttls"}  # what SMTP_SECURE says in the documents' systems


class Security(fields.String):
    """``starttls``, ``tls`` or ``none``; also ``true`` (TLS) and ``false`` (STARTTLS)."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Any:
        text = str(value).lower() if isinstance(value, bool) else value
        word = super()._deserialize(text, attr, data, **kwargs)
        return _NODEMAILER.get(word.lower(), word.lower())


class SmtpSchema(Schema):
    """``[plugins.mail.smtp]``."""

    host = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "Name or address of the SMTP server.", "aliases": ["SMTP_HOST"]},
    )
    port = fields.Integer(
        load_default=None,
        allow_none=True,
        validate=validate.Range(1, 65535),
        metadata={
            "description": "Unset: 587 for starttls, 465 for tls, 25 for none.",
            "aliases": ["SMTP_PORT"],
        },
    )
    security = Security(
        load_default="starttls",
        validate=validate.OneOf(sorted(PORTS)),
        metadata={
            "description": "starttls (refused where the server lacks it), tls or none.",
            "aliases": ["SMTP_SECURE"],
        },
    )
    user = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "Unset: no log-in.", "aliases": ["SMTP_USER"]},
    )
    password = SecretField(
        load_default=None,
        allow_none=True,
        metadata={"description": "Goes with user.", "aliases": ["SMTP_PASS"]},
    )
    timeout = fields.Float(
        load_default=10.0,
        validate=validate.Range(0.1, 25),
        metadata={"description": "Seconds to wait for each answer of the server."},
    )
    ca_file = fields.String(
        load_default=None,
        allow_none=True,
        metadata={"description": "PEM file of the authority to trust instead of the system's."},
    )

    @validates_schema
    def _keeps_the_password_safe(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data.get("user")) != bool(data.get("password")):
            raise ValidationError("Must go together with password: set both or neither.", "user")
        if data.get("security") == "none" and data.get("password") and not _is_here(data.get("host")):
            raise ValidationError("Must be starttls or tls, or the password is sent in clear.", "security")


def _is_here(host: str | None) -> bool:
    if host in (None, "localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
