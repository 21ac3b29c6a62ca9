"""What the routes for admins take and give."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema
from sqlalchemy import Select, exists, or_

from core.auth.passwords import LONGEST
from core.auth.schemas import Email
from core.users import LOCALE, User, UserRole, no_address, printable, time_zone
from core.web import FilterSchema, Schema

_ROLE = validate.Regexp(
    r"^[a-z][a-z0-9_-]{1,39}\Z", error="2 to 40 lower case letters, digits, - and _, a letter first."
)


class UserOut(Schema):
    """Somebody, as admins see them. ``role`` is the mightiest of ``roles``."""

    id = fields.UUID(required=True)
    email = fields.String(required=True)
    name = fields.String(required=True)
    avatar = fields.String(allow_none=True)
    status = fields.String(
        attribute="standing", required=True, metadata={"description": "active, suspended or deleted"}
    )
    verified = fields.Boolean(required=True)
    locale = fields.String(required=True)
    timezone = fields.String(required=True)
    role = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    created_at = fields.DateTime(required=True)
    last_login_at = fields.DateTime(allow_none=True)


class UserFilter(FilterSchema):
    """Which people. ``q`` looks into address and name, ``role=user`` is everybody."""

    q = fields.String(validate=validate.Length(1, 120))
    email = fields.String(metadata={"op": "contains"}, validate=validate.Length(1, 320))
    name = fields.String(metadata={"op": "contains"}, validate=validate.Length(1, 120))
    status = fields.String(validate=validate.OneOf(("active", "suspended", "deleted")))
    role = fields.String(validate=validate.Length(1, 40))
    verified = fields.Boolean()
    created_from = fields.DateTime(metadata={"column": "created_at", "op": "ge"})
    created_before = fields.DateTime(metadata={"column": "created_at", "op": "lt"})

    def apply(self, statement: Select[Any], values: dict[str, Any]) -> Select[Any]:
        """What no comparison of a column says."""
        if "q" in values:
            text = values.pop("q")
            statement = statement.where(
                or_(User.email.icontains(text, autoescape=True), User.name.icontains(text, autoescape=True))
            )
        if values.get("status") == "deleted":
            values.pop("status")  # the view has chosen them
        if "verified" in values:
            never = User.verified_at.is_(None)
            statement = statement.where(~never if values.pop("verified") else never)
        role = values.pop("role", "user")
        if role != "user":
            statement = statement.where(exists().where(UserRole.user_id == User.id, UserRole.role == role))
        return statement


class UserIn(Schema):
    """Somebody new. Without a password they are told by mail how to get one."""

    email = Email(required=True)
    name = fields.String(load_default="", validate=[validate.Length(max=120), printable, no_address])
    password = fields.String(load_default=None, load_only=True, validate=validate.Length(1, LONGEST))
    verified = fields.Boolean(load_default=False)
    role = fields.String(validate=_ROLE)
    roles = fields.List(fields.String(validate=_ROLE), validate=validate.Length(max=20))

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        _say_it_once(data)


class UserChange(Schema):
    """What shall be different. ``email`` and ``verified`` are for admins."""

    name = fields.String(validate=[validate.Length(max=120), printable, no_address])
    avatar = fields.Url(allow_none=True, schemes={"https"}, validate=validate.Length(max=500))
    locale = fields.String(validate=LOCALE)
    timezone = fields.String(validate=time_zone)
    email = Email()
    verified = fields.Boolean()


class RolesIn(Schema):
    """The roles somebody shall hold: one as ``role`` (``user`` for none), or all as ``roles``."""

    role = fields.String(validate=_ROLE)
    roles = fields.List(fields.String(validate=_ROLE), validate=validate.Length(max=20))

    @validates_schema
    def _one_way(self, data: dict[str, Any], **_kwargs: Any) -> None:
        if "role" not in data and "roles" not in data:
            raise ValidationError("Missing data for required field.", "role")
        _say_it_once(data)


def _say_it_once(data: dict[str, Any]) -> None:
    if "role" in data and "roles" in data:
        raise ValidationError("Say role or roles, not both.", "role")


def held(data: dict[str, Any]) -> list[str] | None:
    """The roles that a body names, whichever way; ``None`` where it names none."""
    return [data["role"]] if "role" in data else data.get("roles")


class SuspendIn(Schema):
    """``suspended: false`` lets somebody in again."""

    suspended = fields.Boolean(load_default=True)
    reason = fields.String(load_default="", validate=[validate.Length(max=200), printable])


class DayOut(Schema):
    """How many accounts were made on a day (UTC)."""

    date = fields.String(required=True)
    count = fields.Integer(required=True)


class GrowthOut(Schema):
    """How many accounts were made of late."""

    last_24_hours = fields.Integer(required=True)
    last_7_days = fields.Integer(required=True)
    last_30_days = fields.Integer(required=True)
    daily = fields.List(fields.Nested(DayOut()), required=True)


class StatsOut(Schema):
    """How many people there are. ``byPlan`` is empty while no plugin knows plans."""

    total = fields.Integer(required=True)
    active = fields.Integer(required=True)
    suspended = fields.Integer(required=True)
    deleted = fields.Integer(required=True)
    verified = fields.Integer(required=True)
    unverified = fields.Integer(required=True)
    by_role = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_plan = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    growth = fields.Nested(GrowthOut(), required=True)


class OrganisationFigures(Schema):
    """How many organisations there are."""

    total = fields.Integer(required=True)
    by_kind = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class SessionFigures(Schema):
    """How many sessions there are."""

    active = fields.Integer(required=True)
    begun_last_24_hours = fields.Integer(required=True)


class DashboardOut(Schema):
    """What an admin looks at first."""

    users = fields.Nested(StatsOut(), required=True)
    organisations = fields.Nested(OrganisationFigures(), required=True)
    sessions = fields.Nested(SessionFigures(), required=True)
    latest = fields.List(fields.Nested(UserOut()), required=True)


class RoleOut(Schema):
    """A role of the instance; ``id`` is its name where it comes with the instance."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    summary = fields.String(required=True)
    permissions = fields.List(fields.String(), required=True)
    built_in = fields.Boolean(required=True)
    holders = fields.Integer(metadata={"description": "How many people hold it."})


class RoleList(Schema):
    """All roles."""

    items = fields.List(fields.Nested(RoleOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class RoleIn(Schema):
    """A new role."""

    name = fields.String(required=True, validate=_ROLE)
    summary = fields.String(load_default="", validate=[validate.Length(max=200), printable])
    permissions = fields.List(fields.String(), required=True, validate=validate.Length(max=500))


class RoleChange(Schema):
    """What shall be different about a role; ``permissions`` replace the old ones."""

    summary = fields.String(validate=[validate.Length(max=200), printable])
    permissions = fields.List(fields.String(), validate=validate.Length(max=500))


class PermissionOut(Schema):
    """A permission, whose it is, and which roles hold it unless an admin made others (``org:``: in one)."""

    name = fields.String(required=True)
    plugin = fields.String(required=True)
    summary = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class PermissionList(Schema):
    """All permissions."""

    items = fields.List(fields.Nested(PermissionOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
