"""What an operator may choose."""

from __future__ import annotations

from core.api import Schema, fields, validate


class ConfigSchema(Schema):
    """Settings of ``[plugins.mfa]``."""

    issuer = fields.String(
        load_default="Jobstead",
        # a colon would end it in the address that an authenticator app reads
        validate=[validate.Length(min=1, max=60), validate.ContainsNoneOf(":")],
        metadata={"description": "How authenticator apps call this instance."},
    )
