"""What the routes of this room take and give."""

from __future__ import annotations

from marshmallow import ValidationError, fields, validate

from core.web import Schema

from .service import HOME

_SLUG = validate.Regexp(
    r"^[a-z0-9](?:[a-z0-9-]{1,46}[a-z0-9])\Z",
    error="3 to 48 lower case letters, digits and hyphens, no hyphen at either end.",
)


def _not_taken_by_us(slug: str) -> None:
    if slug == HOME or slug.startswith("p-"):
        raise ValidationError("This slug is reserved.")
    if len(slug) == 36 and slug.count("-") == 4:
        raise ValidationError("A slug must not look like an id.")


def _visible(name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise ValidationError("Must be printable text.")


class OrganisationIn(Schema):
    """A new organisation. Without ``slug`` one is made from the name."""

    name = fields.String(required=True, validate=[validate.Length(1, 120), _visible])
    slug = fields.String(load_default=None, validate=[_SLUG, _not_taken_by_us])


class OrganisationOut(Schema):
    """An organisation; ``kind`` is ``personal``, ``team`` or ``home``."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    kind = fields.String(required=True)
    created_at = fields.DateTime(required=True)
