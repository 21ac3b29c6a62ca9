"""What goes over the wire."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE

from core.api import Schema, ValidationError, fields, validate, validates_schema

from .targets import LONGEST

_CHALLENGE = validate.Regexp(r"^[A-Za-z0-9_-]{43}$", error="Must be an S256 challenge: 43 characters.")
_VERIFIER = validate.Regexp(r"^[A-Za-z0-9._~-]{43,128}$", error="Must be a verifier of 43 to 128 characters.")
_TARGET = {"description": "Path, or URL of an origin the operator named, to land at."}


class StartIn(Schema):
    """How somebody sets out."""

    next = fields.String(validate=validate.Length(min=1, max=LONGEST), metadata=_TARGET)
    code_challenge = fields.String(
        validate=_CHALLENGE,
        metadata={"description": "S256; land with a code bound to it, not with cookies."},
    )


class LinkIn(Schema):
    """Where to land once an account is linked."""

    next = fields.String(validate=validate.Length(min=1, max=LONGEST), metadata=_TARGET)


class LinkOut(Schema):
    """Where to send the browser."""

    authorization_url = fields.String(required=True)


class CallbackIn(Schema):
    """What a provider sends people back with; it may say more, which is not looked at."""

    class Meta:
        unknown = EXCLUDE

    state = fields.String(required=True, validate=validate.Length(max=200))
    code = fields.String(validate=validate.Length(min=1, max=4096))
    iss = fields.String(validate=validate.Length(max=500))
    error = fields.String(validate=validate.Length(max=500))


class ExchangeIn(Schema):
    """Either the code one landed with and its verifier, or another issuer's token."""

    code = fields.String(validate=validate.Length(min=1, max=200))
    code_verifier = fields.String(validate=_VERIFIER)
    token = fields.String(validate=validate.Length(min=1, max=16_384))
    cookies = fields.Boolean(
        load_default=False, metadata={"description": "Put the tokens into cookies, for pages of this server."}
    )

    @validates_schema(skip_on_field_errors=True)
    def _is_one_of_them(self, data: dict[str, Any], **_: Any) -> None:
        if ("code" in data) == ("token" in data):
            raise ValidationError("Send code with codeVerifier, or token.", "code")
        if ("code" in data) != ("code_verifier" in data):
            raise ValidationError("Goes with code.", "code_verifier")


class TokenIn(Schema):
    """Another issuer's token, about whoever shall be linked."""

    token = fields.String(required=True, validate=validate.Length(min=1, max=16_384))


class ProviderOut(Schema):
    """A way to sign in. ``type`` is ``password``, ``redirect`` (open ``url``) or ``token`` (exchange it)."""

    name = fields.String(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    url = fields.String(required=True)
    issuer = fields.String(required=True, allow_none=True)


class ProvidersOut(Schema):
    """Every way to sign in."""

    items = fields.List(fields.Nested(ProviderOut), required=True)


class IdentityOut(Schema):
    """An account elsewhere that lets the caller in."""

    id = fields.UUID(required=True)
    provider = fields.String(required=True)
    issuer = fields.String(required=True)
    email = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)
    last_used_at = fields.DateTime(required=True)
