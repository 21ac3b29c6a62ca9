"""``[plugins.mail]``: which transports in which order, and who the mails are from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema

from core.api import ValidationError, fields, validate, validates_schema

from .config_smtp import SmtpSchema
from .config_vendors import ResendSchema, SendgridSchema
from .message import mailbox
from .transport import Refused

_VENDORS = ("resend", "sendgrid")
_NEEDED = {"smtp": ("smtp", "host"), **{name: (name, "api_key") for name in _VENDORS}}


def _are_distinct(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise ValidationError("Must name each transport once.")


class ConfigSchema(Schema):
    """Settings of the mail plugin; core resolves them from environment, file and API."""

    transport = fields.String(
        load_default=None,
        allow_none=True,
        validate=validate.Length(min=1),
        metadata={"description": "file, smtp, resend, sendgrid or another plugin's. Unset: what is set up."},
    )
    transports = fields.List(
        fields.String(validate=validate.Length(min=1)),
        load_default=list,
        validate=_are_distinct,
        metadata={"description": "Instead of transport: several, in the order in which they are tried."},
    )
    sender = fields.String(
        data_key="from",
        load_default=None,
        allow_none=True,
        metadata={
            "description": "Address or `Name <address>`. Unset: smtp.user where that is an address.",
            "aliases": ["FROM_EMAIL", "SENDGRID_FROM_EMAIL"],
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
        metadata={
            "description": "Where the mails send people. Unset: server.public_url.",
            "aliases": ["FRONTEND_URL", "APP_URL"],
        },
    )
    smtp = fields.Nested(SmtpSchema, load_default=lambda: SmtpSchema().load({}))
    resend = fields.Nested(ResendSchema, load_default=lambda: ResendSchema().load({}))
    sendgrid = fields.Nested(SendgridSchema, load_default=lambda: SendgridSchema().load({}))

    @validates_schema
    def _can_be_used(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("transport") and data.get("transports"):
            raise ValidationError("Must not stand beside transport: name all of them here.", "transports")
        for name in [data.get("transport"), *data.get("transports", [])]:
            table, key = _NEEDED.get(name, (None, None))
            if table is not None and not data[table].get(key):
                raise ValidationError({table: {key: [f"Must be set for transport {name}."]}})
            if name in _VENDORS and not data.get("sender"):
                raise ValidationError(f"Must be set for transport {name}.", "from")
        if data.get("sender"):
            try:
                mailbox(data["sender"])
            except Refused as fault:
                raise ValidationError("Must be an address or `Name <address>`.", "from") from fault


def transport_name(config: Mapping[str, Any]) -> str:
    """The transport in use, where there are several the first."""
    return transport_names(config)[0]


def transport_names(config: Mapping[str, Any]) -> list[str]:
    """The transports in the order in which they are tried."""
    if config["transports"]:
        return list(config["transports"])
    return [config["transport"] or _what_is_set_up(config)]


def _what_is_set_up(config: Mapping[str, Any]) -> str:
    if config["smtp"]["host"]:
        return "smtp"
    return next((name for name in _VENDORS if config[name]["api_key"] and config["sender"]), "file")


def sender(config: Mapping[str, Any]) -> str:
    """Who mails are from."""
    user = config["smtp"]["user"]
    return config["sender"] or (user if user and "@" in user else f"{config['site']} <jobstead@localhost>")
