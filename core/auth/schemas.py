"""What the routes of this room take and give."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, pre_load, validate, validates_schema

from core.users import no_address, normalise, printable
from core.web import OneOf, Schema

from .codes import RESET, VERIFY_EMAIL
from .passwords import LONGEST


class Email(fields.String):
    """An address, given back in the spelling an account is kept under."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if len(text) > 320:
            raise ValidationError("Not a valid e-mail address.")
        return normalise(text)


def digits(*, required: bool = True) -> fields.String:
    """Six of them, and ASCII ones."""
    return fields.String(required=required, validate=validate.Regexp(r"^[0-9]{6}\Z", error="Six digits."))


def password() -> fields.String:
    """A password as it was typed."""
    # the shortest length is the profile's and is checked with everything else about it
    return fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=LONGEST))


def _name() -> fields.String:
    return fields.String(load_default="", validate=[validate.Length(max=120), printable, no_address])


class RegisterIn(Schema):
    """Somebody new."""

    email = Email(required=True)
    password = password()
    name = _name()


class StatusOut(Schema):
    """What happens next."""

    status = fields.String(required=True)


class EmailIn(Schema):
    """An address."""

    email = Email(required=True)


class CodeIn(Schema):
    """An address and the code that was sent to it; ``otp`` is another name of ``code``."""

    email = Email(required=True)
    code = digits()

    @pre_load
    def _otp(self, data: Any, **_kwargs: Any) -> Any:
        if isinstance(data, dict) and "otp" in data and "code" not in data:
            return {**{k: v for k, v in data.items() if k != "otp"}, "code": data["otp"]}
        return data


class VerifyIn(CodeIn):
    """Which code it is: one that verifies an address, or one for a forgotten password."""

    purpose = fields.String(load_default=VERIFY_EMAIL, validate=validate.OneOf([VERIFY_EMAIL, RESET]))


class ResetPasswordIn(CodeIn):
    """The password to have, with an address and the code that was sent to it, or with the link's token."""

    email = Email()
    code = digits(required=False)
    token = fields.String(load_only=True, validate=validate.Length(min=1, max=200))
    new_password = password()

    @validates_schema
    def _one_proof(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "token" in data:
            if len(data) > 2:
                raise ValidationError("Send the token alone, or email and code.", "token")
        else:
            missing = {
                key: ["Missing data for required field."] for key in ("email", "code") if key not in data
            }
            if missing:
                raise ValidationError(missing)


class LoginIn(Schema):
    """Who one is and what only oneself knows. Browsers ask for ``cookies`` instead of tokens."""

    email = Email(required=True)
    password = password()
    cookies = fields.Boolean(load_default=False, truthy={True}, falsy={False})


class RefreshIn(Schema):
    """The newest refresh token of a session; left out where it is in a cookie."""

    refresh_token = fields.String(load_only=True, validate=validate.Length(max=200))


class TokensOut(Schema):
    """A session's tokens. Times in seconds; a refresh token is good for one exchange.

    Where they went into cookies ``tokenType`` is ``Cookie``, and ``csrfToken`` is to be sent as
    ``X-CSRF-Token`` with whatever changes something.
    """

    access_token = fields.String()
    refresh_token = fields.String()
    csrf_token = fields.String()
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True)
    refresh_expires_at = fields.DateTime(required=True)
    user_id = fields.UUID(required=True)


class LoginOut(TokensOut):
    """A new session. With ``mustChangePassword`` it is good for nothing else before that."""

    must_change_password = fields.Boolean(required=True)


class SecondStepOut(Schema):
    """No session yet: a second step is asked for, by one of ``methods``, with ``ticket`` until it expires."""

    mfa_required = fields.Boolean(required=True)
    ticket = fields.String(required=True)
    methods = fields.List(fields.String(), required=True)
    expires_at = fields.DateTime(required=True)


def signed_in() -> OneOf:
    """What ``sign_in`` gives, as an answer: a session, or a ticket for the second step."""
    return OneOf(LoginOut(), SecondStepOut(), choose=lambda given: "ticket" in given)


class MembershipOut(Schema):
    """An organisation and what one is in it."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    kind = fields.String(required=True)
    role = fields.String(required=True)


class PreferencesOut(Schema):
    """Which mail somebody wants, and what a front end keeps for them."""

    email_notifications = fields.Boolean(required=True)
    job_alerts = fields.Boolean(required=True)
    newsletter = fields.Boolean(required=True)
    custom = fields.Dict(keys=fields.String(), required=True)


class MeOut(Schema):
    """One's own account: roles of the instance, organisations, and what is allowed here and now."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    avatar = fields.String(allow_none=True)
    verified = fields.Boolean(required=True)
    locale = fields.String(required=True)
    timezone = fields.String(required=True)
    preferences = fields.Nested(PreferencesOut(), required=True)
    created_at = fields.DateTime(required=True)
    roles = fields.List(fields.String(), required=True)
    permissions = fields.List(fields.String(), required=True)
    organisation_id = fields.UUID(allow_none=True)
    organisations = fields.List(fields.Nested(MembershipOut()), required=True)
    must_change_password = fields.Boolean(required=True)


class ChangePasswordIn(Schema):
    """The password one has and the one to have."""

    current_password = password()
    new_password = password()


class SetupIn(RegisterIn):
    """The first admin and the token of the link."""

    token = fields.String(required=True, load_only=True, validate=validate.Length(min=1, max=200))


class SetupOut(Schema):
    """The first admin."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
