"""What the routes of this room take and give."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from core.auth.schemas import Email
from core.users import LOCALE, no_address, printable
from core.web import FilterSchema, Schema

from .models import ROLES
from .service import HOME

_SLUG = validate.Regexp(
    r"^[a-z0-9](?:[a-z0-9-]{1,46}[a-z0-9])\Z",
    error="3 to 48 lower case letters, digits and hyphens, no hyphen at either end.",
)
_COLOUR = validate.Regexp(r"^#[0-9A-Fa-f]{6}\Z", error="A colour such as #1f5fbf.")


def _not_taken_by_us(slug: str) -> None:
    if slug == HOME or slug.startswith("p-"):
        raise ValidationError("This slug is reserved.")
    if len(slug) == 36 and slug.count("-") == 4:
        raise ValidationError("A slug must not look like an id.")


def _visible(text: str) -> None:
    if not text.strip():
        raise ValidationError("Must be printable text.")
    printable(text)


class OrganisationIn(Schema):
    """A new organisation. Without ``slug`` one is made from the name."""

    name = fields.String(required=True, validate=[validate.Length(1, 120), _visible, no_address])
    slug = fields.String(load_default=None, validate=[_SLUG, _not_taken_by_us])


class Branding(Schema):
    """How the organisation looks to those who get its pages and mails. Pictures by ``https`` alone."""

    logo_url = fields.Url(allow_none=True, schemes={"https"}, validate=validate.Length(max=500))
    icon_url = fields.Url(allow_none=True, schemes={"https"}, validate=validate.Length(max=500))
    primary_color = fields.String(allow_none=True, validate=_COLOUR)
    accent_color = fields.String(allow_none=True, validate=_COLOUR)
    footer = fields.String(allow_none=True, validate=[validate.Length(1, 200), _visible])

    @post_load
    def _on_the_wire(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Kept as it is shown."""
        return {self.fields[name].data_key or name: value for name, value in data.items()}


class OrganisationPatch(Schema):
    """What shall be another one."""

    name = fields.String(validate=[validate.Length(1, 120), _visible, no_address])
    slug = fields.String(validate=[_SLUG, _not_taken_by_us])
    locale = fields.String(validate=LOCALE)
    branding = fields.Nested(Branding())


class OrganisationOut(Schema):
    """An organisation; ``kind`` is ``personal``, ``team`` or ``home``.

    With ``deletesAt`` it goes then with all that is in it.
    """

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    kind = fields.String(required=True)
    locale = fields.String(required=True)
    branding = fields.Raw(required=True, metadata={"type": "object"})
    created_at = fields.DateTime(required=True)
    deletes_at = fields.DateTime(allow_none=True)


class MemberOut(Schema):
    """Somebody and what they are in the organisation."""

    user_id = fields.UUID(required=True)
    email = fields.String(attribute="user.email", required=True)
    name = fields.String(attribute="user.name", required=True)
    avatar = fields.String(attribute="user.avatar", allow_none=True)
    role = fields.String(required=True)
    joined_at = fields.DateTime(attribute="created_at", required=True)


class MemberFilter(FilterSchema):
    """Which members."""

    role = fields.String(validate=validate.OneOf(ROLES))


class RoleIn(Schema):
    """A role in the organisation."""

    role = fields.String(required=True, validate=validate.OneOf(ROLES))


class TransferIn(Schema):
    """Who shall own it: a member."""

    user_id = fields.UUID(required=True)


class InvitationIn(Schema):
    """Whom to invite, and as what. Owners are made of members."""

    email = Email(required=True)
    role = fields.String(load_default="member", validate=validate.OneOf(ROLES[1:]))


class InvitationOut(Schema):
    """An invitation nobody has taken yet. What its mail carries is shown to nobody else."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    role = fields.String(required=True)
    invited_by = fields.UUID(allow_none=True)
    created_at = fields.DateTime(required=True)
    expires_at = fields.DateTime(required=True)
