"""The door for plugins: the one module of core that a plugin imports.

Grouped by what an author does: describe routes, keep rows, tell and hear of facts, do work in
the background, talk to the world outside. ``docs/plugins.md`` explains each; a test records
every name here, and from 1.0 on none goes away without a major version.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from flask import current_app
from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import (
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    Select,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    and_,
    case,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column, relationship

from .access import Principal, may, principal, public, require
from .auth.codes import verification_code
from .clock import utcnow
from .config import Config
from .context import organisation_id
from .db import (
    InstanceMixin,
    Json,
    TenantMixin,
    UtcDateTime,
    acting_for,
    begin,
    db,
    model_base,
    tenant_fk,
    unscoped,
    uuid7,
)
from .engine import Delivery, Event, Permanent, Retry, current_task, emit, enqueue
from .errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unavailable
from .hooks import hookimpl, hooks, hookspec
from .log import get_logger
from .orgs import home_organisation, invitation_token
from .switch import active
from .typed import Secret, SecretField
from .users import UserInfo, find_user
from .web import Blueprint, FilterSchema, OutgoingError, Schema, body_limit, http_client, retry_after

__all__ = [  # noqa: RUF022  in the order of the docstring
    # routes
    "Blueprint",
    "Schema",
    "FilterSchema",
    "ValidationError",
    "fields",
    "validate",
    "validates_schema",
    "require",
    "public",
    "may",
    "principal",
    "Principal",
    "organisation_id",
    "home_organisation",
    "body_limit",
    "Problem",
    "NotFound",
    "Forbidden",
    "Conflict",
    "Invalid",
    "Unavailable",
    # rows
    "db",
    "begin",
    "acting_for",
    "unscoped",
    "model_base",
    "TenantMixin",
    "InstanceMixin",
    "tenant_fk",
    "Mapped",
    "mapped_column",
    "relationship",
    "Boolean",
    "Float",
    "ForeignKey",
    "Index",
    "Integer",
    "Json",
    "String",
    "Text",
    "UniqueConstraint",
    "UtcDateTime",
    "Uuid",
    "IntegrityError",
    "Select",
    "select",
    "update",
    "delete",
    "func",
    "and_",
    "or_",
    "case",
    "utcnow",
    "uuid7",
    # facts and work
    "Event",
    "emit",
    "Delivery",
    "Retry",
    "Permanent",
    "enqueue",
    "current_task",
    "timedelta",
    # plugins among themselves
    "hookimpl",
    "hookspec",
    "call_hook",
    "active",
    "settings",
    # the world outside
    "http_client",
    "OutgoingError",
    "retry_after",
    "public_url",
    "Secret",
    "SecretField",
    "find_user",
    "UserInfo",
    "verification_code",
    "invitation_token",
    "data_dir",
    "get_logger",
]


def call_hook(name: str, **arguments: object) -> list[tuple[str, Any]]:
    """Ask every active plugin that implements hook ``name``.

    Returns ``(plugin, result)`` pairs without ``None``. An implementation that raises is logged,
    left out, and does not disturb the others.
    """
    return hooks().each(name, **arguments)


def settings(plugin: str) -> dict[str, Any]:
    """The settings of ``plugin`` as its ``ConfigSchema`` loaded them; empty where it has none."""
    resolved: dict[str, dict[str, Any]] = current_app.extensions["jobstead.settings"]
    return resolved.get(plugin, {})


def public_url() -> str | None:
    """Where people reach this instance, without a slash at the end; ``None`` where nobody said.

    The only base for links: what a request says of its host is anybody's claim.
    """
    return _config().server.public_url


def data_dir() -> Path:
    """The directory this instance keeps its data in; make a folder named after your plugin there."""
    folder = _config().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _config() -> Config:
    return cast(Config, current_app.extensions["jobstead.config"])
