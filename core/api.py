"""The door for plugins: the one module of core that a plugin imports.

Grouped by what an author does: describe routes, let people in, keep rows, tell and hear of facts, do work in
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
from .auth.admin.people import confirm_reach
from .auth.alerts import security_alert
from .auth.codes import verification_code
from .auth.cookies import check_origin
from .auth.cookies import give as give_cookies
from .auth.devices import end_sessions
from .auth.entering import (
    finish_sign_in,
    prepare_sign_in,
    require_second_step,
    sign_in,
    ticket_holder,
    waive_second_step,
)
from .auth.fresh import confirm_fresh
from .auth.links import reset_link
from .auth.schemas import signed_in
from .auth.vouching import add_user, has_password, reclaim, session_holds
from .clock import utcnow
from .config import Config
from .context import organisation_id
from .crypto import DecryptError, keyring
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
from .engine import (
    AUDITED,
    AuditFacts,
    Delivery,
    Event,
    Permanent,
    Retry,
    audit_facts,
    current_task,
    emit,
    enqueue,
)
from .errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthorized, Unavailable
from .hooks import hookimpl, hooks, hookspec
from .log import get_logger
from .orgs import (
    OrganisationInfo,
    find_organisation,
    home_organisation,
    invitation_token,
    organisation_owners,
)
from .switch import active
from .typed import Secret, SecretField
from .users import UserInfo, find_by_email, find_user, presentable
from .users import normalise as normalise_email
from .web import (
    Blueprint,
    FilterSchema,
    OutgoingError,
    Schema,
    body_limit,
    http_client,
    rate_limit,
    retry_after,
)

__all__ = [  # noqa: RUF022  in the order of the docstring
    # routes
    "Blueprint",
    "Schema",
    "FilterSchema",
    "body_limit",
    "ValidationError",
    "fields",
    "validate",
    "validates_schema",
    "require",
    "public",
    "rate_limit",
    "may",
    "principal",
    "Principal",
    "organisation_id",
    "home_organisation",
    "Problem",
    "NotFound",
    "Forbidden",
    "Conflict",
    "Invalid",
    "Unavailable",
    "Unauthorized",
    # signing in
    "prepare_sign_in",
    "sign_in",
    "signed_in",
    "ticket_holder",
    "finish_sign_in",
    "require_second_step",
    "waive_second_step",
    "end_sessions",
    "confirm_fresh",
    "confirm_reach",
    "check_origin",
    "give_cookies",
    "security_alert",
    "add_user",
    "reclaim",
    "find_by_email",
    "presentable",
    "normalise_email",
    "has_password",
    "session_holds",
    "encrypt",
    "decrypt",
    "digest",
    "DecryptError",
    "derive_key",
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
    "AUDITED",
    "AuditFacts",
    "audit_facts",
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
    "Secret",
    "SecretField",
    "find_user",
    "UserInfo",
    "find_organisation",
    "OrganisationInfo",
    "verification_code",
    "reset_link",
    "invitation_token",
    "organisation_owners",
    "data_dir",
    "public_url",
    "has_public_url",
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


def encrypt(plaintext: bytes, *, aad: str) -> str:
    """``plaintext`` as text that opens with this instance's master key alone, and with the same ``aad``.

    ``aad`` says where the value belongs (``table|row|purpose``), so that it opens nowhere else.
    """
    return keyring().encrypt(plaintext, aad=aad)


def decrypt(sealed: str, *, aad: str) -> bytes:
    """What ``encrypt`` was given. Raises ``DecryptError``."""
    return keyring().decrypt(sealed, aad=aad)


def derive_key(purpose: str) -> bytes:
    """32 bytes for ``purpose`` (``audit.heads``) alone, from the master key; the same at each call."""
    return keyring().derive(f"plugin.{purpose}")


def public_url() -> str:
    """Where this instance is reached, without a slash at the end. No header of a request changes it."""
    return _config().server.url


def has_public_url() -> bool:
    """Whether the operator said where people reach this instance; else nobody beyond this machine does."""
    return _config().server.public_url is not None


def digest(text: str, *, purpose: str) -> str:
    """What stands for a short secret in a table: 64 hex digits that need this instance's key to be searched.

    ``purpose`` begins with the plugin's name; the same text has another digest for each.
    """
    return keyring().digest(text, purpose=purpose)


def data_dir() -> Path:
    """The directory this instance keeps its data in; make a folder named after your plugin there."""
    folder = _config().data_dir
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _config() -> Config:
    return cast(Config, current_app.extensions["jobstead.config"])
