"""What templates, deliveries and suppressions look like on the wire."""

from __future__ import annotations

from core.api import FilterSchema, Schema, fields, validate

from .models import REASONS, STATUSES

_MOST = 65_536  # characters of a text or of HTML

_LOCALE = validate.Regexp(
    r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}\Z", error="A language tag such as en or pt-BR."
)


def _line(*, required: bool = False) -> fields.String:
    return fields.String(required=required, validate=validate.Length(1, 500))


def _text(*, required: bool = False) -> fields.String:
    return fields.String(required=required, validate=validate.Length(1, _MOST))


class LocaleQuery(Schema):
    """``?locale=de-AT``."""

    locale = fields.String(validate=_LOCALE)


class TemplateBrief(Schema):
    """A template in a list. ``security``: it guards an account, and goes out in spite of complaints."""

    key = fields.String(required=True)
    summary = fields.String(required=True)
    security = fields.Boolean(required=True)
    variables = fields.List(fields.String(), required=True)
    locales = fields.List(fields.String(), required=True)
    overridden = fields.List(fields.String(), required=True)


class TemplatesOut(Schema):
    """All of them; there is one page."""

    items = fields.List(fields.Nested(TemplateBrief), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class VersionOut(Schema):
    """One version that was or is in use."""

    locale = fields.String(required=True)
    version = fields.Integer(required=True)
    current = fields.Boolean(required=True)
    created_at = fields.DateTime(required=True)
    written_by = fields.UUID(required=True, allow_none=True)


class TemplateOut(TemplateBrief):
    """A template with its texts; ``source`` is shipped, organisation or instance."""

    source = fields.String(required=True)
    locale = fields.String(required=True)
    subject = fields.String(required=True)
    text = fields.String(required=True)
    html = fields.String(required=True)
    sample = fields.Dict(required=True)
    version = fields.Integer(required=True, allow_none=True)
    written_by = fields.UUID(required=True, allow_none=True)
    updated_at = fields.DateTime(required=True, allow_none=True)
    versions = fields.List(fields.Nested(VersionOut), required=True)


class TemplateIn(Schema):
    """What to say instead, in one language. The HTML goes into the layout that all mails share."""

    locale = fields.String(load_default="en", validate=_LOCALE)
    subject = _line(required=True)
    text = _text(required=True)
    html = _text(required=True)


class PreviewIn(Schema):
    """Parts of a draft; what is left out is as it is said now."""

    locale = fields.String(validate=_LOCALE)
    subject = _line()
    text = _text()
    html = _text()


class PreviewOut(Schema):
    """A mail with made-up values; ``source`` is shipped, organisation, instance or draft."""

    subject = fields.String(required=True)
    text = fields.String(required=True)
    html = fields.String(required=True)
    locale = fields.String(required=True)
    source = fields.String(required=True)


class SampleIn(Schema):
    """Which language to send; unset: mine."""

    locale = fields.String(validate=_LOCALE)


class SampleOut(Schema):
    """Where to look what became of it."""

    delivery_id = fields.UUID(required=True)


class DeliveryOut(Schema):
    """One mail. ``recipient`` is a hint; ``source`` is shipped, override, or fallback where an override
    could not be used; ``reference`` what the transport answered."""

    id = fields.UUID(required=True)
    organisation_id = fields.UUID(required=True, allow_none=True)
    template = fields.String(required=True)
    recipient = fields.String(required=True)
    status = fields.String(required=True)
    source = fields.String(required=True)
    transport = fields.String(required=True)
    reference = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    reason = fields.String(required=True, allow_none=True)
    sent_at = fields.DateTime(required=True, allow_none=True)
    failed_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class DeliveryFilter(FilterSchema):
    """``?status=bounced&template=welcome&transport=resend``."""

    status = fields.String(validate=validate.OneOf(STATUSES))
    template = fields.String()
    transport = fields.String()


class SuppressionOut(Schema):
    """An address that gets no mail, why, and who told."""

    id = fields.UUID(required=True)
    address = fields.String(required=True)
    reason = fields.String(required=True)
    detail = fields.String(required=True, allow_none=True)
    provider = fields.String(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class SuppressionIn(Schema):
    """An address to send nothing to."""

    address = fields.String(required=True, validate=validate.Length(3, 254))
    detail = fields.String(validate=validate.Length(max=500))


class SuppressionFilter(FilterSchema):
    """``?reason=bounce&address=ann`` (the beginning of an address)."""

    reason = fields.String(validate=validate.OneOf(REASONS))
    address = fields.String(metadata={"op": "prefix"})
