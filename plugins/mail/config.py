"""``[plugins.mail]``: which transport, who the mails are from, and how SMTP is reached."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from marshmallow import Schema

from core.api import SecretField, ValidationError, fields, validate, validates_schema

from .message import mailbox
from .transport import Refused

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


class ConfigSchema(Schema):
    """Settings of the mail plugin; core resolves them from environment, file and API."""

    transport = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1),
        metadata={
            "description": "file, smtp or a name another plugin offers. Unset: smtp where smtp.host is set."
        },
    )
    sender = fields.String(
        data_key="from",
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Address or `Name <address>`. Unset: smtp.user where that is an address.",
            "aliases": ["FROM_EMAIL"],
        },
    )
    site = fields.String(
        load_default="Jobstead",
        validate=validate.Length(min=1, max=60),
        metadata={"description": "What the mails call this instance."},
    )
    site_url = fields.Url(
        load_default=None,
        allow_none=True,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"description": "Where the mails send people.", "aliases": ["FRONTEND_URL", "APP_URL"]},
    )
    smtp = fields.Nested(SmtpSchema, load_default=lambda: SmtpSchema().load({}))

    @validates_schema
    def _can_be_used(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("transport") == "smtp" and not data["smtp"].get("host"):
            raise ValidationError({"smtp": {"host": ["Must be set for transport smtp."]}})
        if data.get("sender"):
            try:
                mailbox(data["sender"])
            except Refused as fault:
                raise ValidationError("Must be an address or `Name <address>`.", "from") from fault


def transport_name(config: Mapping[str, Any]) -> str:
    """The transport in use."""
    return config["transport"] or ("smtp" if config["smtp"]["host"] else "file")


def sender(config: Mapping[str, Any]) -> str:
    """Who mails are from."""
    user = config["smtp"]["user"]
    return config["sender"] or (user if user and "@" in user else f"{config['site']} <jobstead@localhost>")


def _is_here(host: str | None) -> bool:
    if host in (None, "localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
