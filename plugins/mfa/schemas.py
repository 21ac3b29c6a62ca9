"""What the routes take and give."""

from __future__ import annotations

from typing import Any

from core.api import Schema, ValidationError, fields, validate, validates_schema


def _digits(**how: Any) -> fields.String:
    """Six of them, and ASCII ones."""
    return fields.String(validate=validate.Regexp(r"^[0-9]{6}\Z", error="Six digits."), **how)


class EnrollIn(Schema):
    """What to call the app."""

    label = fields.String(load_default="", validate=validate.Length(max=64))

    @validates_schema
    def _printable(self, data: dict[str, Any], **_: Any) -> None:
        if not data.get("label", "").isprintable():
            raise ValidationError("Must be printable text.", "label")


class EnrolledOut(Schema):
    """What an authenticator app needs: ``uri``, the same as a picture in ``qr``, or ``secret`` typed in."""

    factor_id = fields.UUID(required=True)
    secret = fields.String(required=True)
    uri = fields.String(required=True)
    qr = fields.String(required=True, metadata={"description": "An SVG as a data URI."})
    expires_at = fields.DateTime(required=True)


class ConfirmIn(Schema):
    """A code that the app shows."""

    code = _digits(required=True)


class RecoveryCodesOut(Schema):
    """Codes to keep on paper. They are never shown again."""

    recovery_codes = fields.List(fields.String(), required=True)


class ConfirmedOut(RecoveryCodesOut):
    """The factor that guards from now on. Recovery codes come with the first one alone."""

    factor_id = fields.UUID(required=True)


class VerifyIn(Schema):
    """The ticket of the first step, and either a code of the app or a recovery code."""

    ticket = fields.String(required=True, load_only=True, validate=validate.Length(max=200))
    code = _digits(load_only=True)
    recovery_code = fields.String(load_only=True, validate=validate.Length(min=1, max=40))
    cookies = fields.Boolean(load_default=False, truthy={True}, falsy={False})

    @validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if ("code" in data) == ("recovery_code" in data):
            raise ValidationError("Send either this or recoveryCode.", "code")


class FactorOut(Schema):
    """An authenticator app that guards the account."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    label = fields.String(required=True)
    confirmed_at = fields.DateTime(required=True)
    last_used_at = fields.DateTime(required=True, allow_none=True)


class SecondStepOut(Schema):
    """One's second step. It is asked for where there is a factor."""

    enabled = fields.Boolean(required=True)
    factors = fields.List(fields.Nested(FactorOut()), required=True)
    recovery_codes_left = fields.Integer(required=True)
