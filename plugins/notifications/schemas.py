"""What the inbox looks like on the wire."""

from __future__ import annotations

from core.api import FilterSchema, Schema, fields


class NotificationOut(Schema):
    """One notification; ``readAt`` is null while it is unread."""

    id = fields.UUID(required=True)
    type = fields.String(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    data = fields.Dict(required=True)
    read_at = fields.DateTime(required=True, allow_none=True)
    created_at = fields.DateTime(required=True)


class NotificationFilter(FilterSchema):
    """``?unread=true`` for those not read yet, ``false`` for the others."""

    unread = fields.Boolean(metadata={"column": "read_at", "op": "null"})


class UnreadCountOut(Schema):
    """How many notifications have not been read."""

    unread = fields.Integer(required=True)


class ReadAllOut(Schema):
    """How many notifications this call marked as read."""

    updated = fields.Integer(required=True)
