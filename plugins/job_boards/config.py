"""``[plugins.job_boards]``: which providers are asked, where, and for whose boards."""

from __future__ import annotations

from marshmallow import Schema

from core.api import fields, validate

from .providers import greenhouse, remoteok

_ENABLED = {"description": "Whether this provider's feeds are fetched."}


class RemoteOkSchema(Schema):
    """``[plugins.job_boards.remoteok]``."""

    enabled = fields.Boolean(load_default=True, metadata=_ENABLED)
    url = fields.Url(
        load_default=remoteok.URL,
        schemes={"http", "https"},
        require_tld=False,
        metadata={
            "description": "The feed; add ?tag=python to narrow it.",
            "aliases": ["REMOTEOK_API_URL"],
        },
    )


class GreenhouseSchema(Schema):
    """``[plugins.job_boards.greenhouse]``."""

    enabled = fields.Boolean(load_default=True, metadata=_ENABLED)
    url = fields.Url(
        load_default=greenhouse.URL,
        schemes={"http", "https"},
        require_tld=False,
        metadata={"description": "Base address of the boards; a board's token and /jobs are added."},
    )
    boards = fields.List(
        fields.String(validate=validate.Regexp(r"^[A-Za-z0-9_-]{1,80}$", error="is no board token")),
        load_default=list,
        validate=validate.Length(max=500),
        metadata={"description": "Tokens of the companies' boards, as in boards.greenhouse.io/<token>."},
    )


class ConfigSchema(Schema):
    """Settings of the job_boards plugin; core resolves them from environment, file and API."""

    remoteok = fields.Nested(RemoteOkSchema, load_default=lambda: RemoteOkSchema().load({}))
    greenhouse = fields.Nested(GreenhouseSchema, load_default=lambda: GreenhouseSchema().load({}))
