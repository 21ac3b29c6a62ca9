"""What the routes about one's own account take and give."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from core.context import principal
from core.users import no_address, printable, time_zone
from core.web import Schema

from .schemas import Email, PreferencesOut, digits, password

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # the form of BCP 47
_DEPTH = 5
_KEYS = 50
_KEY = 64  # characters


class ProfileIn(Schema):
    """What is to change; what is left out stays."""

    name = fields.String(validate=[validate.Length(min=1, max=120), printable, no_address])
    avatar = fields.Url(
        allow_none=True, schemes={"http", "https"}, require_tld=False, validate=validate.Length(max=500)
    )


class ProfileOut(Schema):
    """What somebody tells others of themselves."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    avatar = fields.String(allow_none=True, required=True)


def _language(value: str) -> None:
    if not _LANGUAGE.fullmatch(value):
        raise ValidationError("Must be a language tag such as en or pt-BR.")


def _bounded(value: dict[str, Any]) -> None:
    if len(value) > _KEYS:
        raise ValidationError(f"Must have at most {_KEYS} keys.")
    if not all(1 <= len(key) <= _KEY for key in value):
        raise ValidationError(f"Must have keys of 1 to {_KEY} characters.")
    _check(value, _DEPTH)


def _check(value: Any, depth: int) -> None:
    """PostgreSQL stores no NUL; and nobody needs a preference that is nested without end."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValidationError("Must not contain NUL characters.")
    elif isinstance(value, dict | list):
        if depth == 0:
            raise ValidationError(f"Must not be nested deeper than {_DEPTH} levels.")
        for part in [*value, *value.values()] if isinstance(value, dict) else value:
            _check(part, depth - 1)


class PreferencesIn(Schema):
    """What is to change; what is left out stays.

    ``custom`` is a front end's own: its keys are set one by one, and taken away by ``null``.
    """

    locale = fields.String(validate=[validate.Length(max=35), _language])
    timezone = fields.String(validate=[validate.Length(max=64), time_zone])
    email_notifications = fields.Boolean(truthy={True}, falsy={False})
    job_alerts = fields.Boolean(truthy={True}, falsy={False})
    newsletter = fields.Boolean(truthy={True}, falsy={False})
    custom = fields.Dict(keys=fields.String(), validate=_bounded)


class AllPreferencesOut(PreferencesOut):
    """All preferences, as they are now."""

    locale = fields.String(required=True)
    timezone = fields.String(required=True)


class ChangeEmailIn(Schema):
    """The address to have, and the password to show who asks."""

    new_email = Email(required=True)
    current_password = password()


class ConfirmEmailIn(Schema):
    """The address to have, and the code that was sent to it."""

    new_email = Email(required=True)
    code = digits()


class SessionOut(Schema):
    """A session: where it began, and when it was last kept alive. ``current`` marks the asking one."""

    id = fields.UUID(required=True)
    ip = fields.String(required=True)
    user_agent = fields.String(required=True)
    amr = fields.List(fields.String(), required=True)
    organisation_id = fields.UUID(allow_none=True)
    created_at = fields.DateTime(required=True)
    last_used_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)
    current = fields.Function(lambda session: session.id == principal().session_id)
