"""Facts about people and roles that an admin brought about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from core.engine import Event


@dataclass(frozen=True)
class UserInvited(
    Event,
    type="user.invited",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=("has_password", "roles"),
):
    """An admin made an account for somebody; without a password they ask for one by their address."""

    user_id: UUID
    email: str
    name: str
    has_password: bool
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class UserRolesChanged(
    Event,
    type="user.roles_changed",
    version=1,
    scope="instance",
    target=("user", "user_id"),
    audited=("roles", "before"),
):
    """Somebody holds other roles of the instance."""

    user_id: UUID
    roles: list[str]
    before: list[str]


@dataclass(frozen=True)
class UserSuspended(
    Event, type="user.suspended", version=1, scope="instance", target=("user", "user_id"), audited=("reason",)
):
    """Somebody stays out until they are reinstated; their sessions have ended."""

    user_id: UUID
    email: str
    reason: str


@dataclass(frozen=True)
class UserReinstated(
    Event, type="user.reinstated", version=1, scope="instance", target=("user", "user_id"), audited=()
):
    """Somebody may sign in again."""

    user_id: UUID
    email: str


@dataclass(frozen=True)
class UserDeleted(
    Event, type="user.deleted", version=1, scope="instance", target=("user", "user_id"), audited=()
):
    """Somebody is deleted; what is theirs goes at ``erased_at``, when the grace is over."""

    user_id: UUID
    email: str
    erased_at: datetime | None = None


@dataclass(frozen=True)
class UserErased(
    Event, type="user.erased", version=1, scope="instance", target=("user", "user_id"), audited=()
):
    """Nothing of somebody is left in the database; what lies elsewhere can go too."""

    user_id: UUID


@dataclass(frozen=True)
class RoleChanged(
    Event,
    type="role.changed",
    version=1,
    scope="instance",
    target=("role", "role"),
    audited=("permissions", "created"),
):
    """A role an admin made holds these permissions from now on; ``created`` for a new one."""

    role: str
    permissions: list[str]
    created: bool


@dataclass(frozen=True)
class RoleDeleted(
    Event, type="role.deleted", version=1, scope="instance", target=("role", "role"), audited=()
):
    """A role is gone, and nobody holds it any more."""

    role: str


EVENTS: tuple[type[Event], ...] = (
    UserInvited,
    UserRolesChanged,
    UserSuspended,
    UserReinstated,
    UserDeleted,
    UserErased,
    RoleChanged,
    RoleDeleted,
)
