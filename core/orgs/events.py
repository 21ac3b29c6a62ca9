"""Facts about organisations. Where one is of a person, ``user_id`` is theirs; the actor is the event's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.engine import Event


@dataclass(frozen=True)
class OrganisationCreated(
    Event, type="organisation.created", version=1, target=("organisation", None), audited=("kind", "user_id")
):
    """There is one more; ``kind`` is ``personal`` or ``team``."""

    name: str
    slug: str
    kind: str
    user_id: UUID


@dataclass(frozen=True)
class OrganisationUpdated(
    Event, type="organisation.updated", version=1, target=("organisation", None), audited=("fields",)
):
    """Its name, slug, locale or branding is another one; ``fields`` names which."""

    fields: list[str]


@dataclass(frozen=True)
class OrganisationDeletionScheduled(
    Event,
    type="organisation.deletion_scheduled",
    version=1,
    target=("organisation", None),
    audited=("deletes_at",),
):
    """It goes with all its rows at ``deletes_at``, unless it is restored before."""

    name: str
    deletes_at: datetime


@dataclass(frozen=True)
class OrganisationRestored(
    Event, type="organisation.restored", version=1, target=("organisation", None), audited=()
):
    """It stays after all."""

    name: str


@dataclass(frozen=True)
class OrganisationDeleted(
    Event,
    type="organisation.deleted",
    version=1,
    scope="instance",
    target=("organisation", "organisation_id"),
    audited=("slug",),
):
    """It is gone and so are its rows; what lies elsewhere (files, indexes) can go too."""

    organisation_id: UUID
    name: str
    slug: str


@dataclass(frozen=True)
class OwnershipTransferred(
    Event, type="organisation.transferred", version=1, target=("user", "user_id"), audited=("before",)
):
    """``user_id`` owns it now; ``before`` is an admin."""

    user_id: UUID
    before: UUID


@dataclass(frozen=True)
class MemberAdded(Event, type="member.added", version=1, target=("user", "user_id"), audited=("role",)):
    """Somebody belongs to the organisation."""

    user_id: UUID
    role: str


@dataclass(frozen=True)
class MemberRoleChanged(
    Event, type="member.role_changed", version=1, target=("user", "user_id"), audited=("role", "before")
):
    """Somebody has another role in it."""

    user_id: UUID
    role: str
    before: str


@dataclass(frozen=True)
class MemberRemoved(
    Event, type="member.removed", version=1, target=("user", "user_id"), audited=("role", "left")
):
    """Somebody belongs to it no more; ``left`` of their own accord."""

    user_id: UUID
    role: str
    left: bool


@dataclass(frozen=True)
class InvitationCreated(
    Event, type="invitation.created", version=1, target=("invitation", "invitation_id"), audited=("role",)
):
    """An address shall get an invitation by mail: ``invitation_token(invitation_id)`` is what it carries."""

    invitation_id: UUID
    email: str
    role: str
    organisation: str
    invited_by: UUID


@dataclass(frozen=True)
class InvitationWithdrawn(
    Event, type="invitation.withdrawn", version=1, target=("invitation", "invitation_id"), audited=()
):
    """An invitation does not hold any more."""

    invitation_id: UUID
    email: str


@dataclass(frozen=True)
class InvitationAccepted(
    Event,
    type="invitation.accepted",
    version=1,
    target=("invitation", "invitation_id"),
    audited=("user_id",),
):
    """Somebody joined by an invitation; ``member.added`` tells what they are."""

    invitation_id: UUID
    user_id: UUID


EVENTS: tuple[type[Event], ...] = (
    OrganisationCreated,
    OrganisationUpdated,
    OrganisationDeletionScheduled,
    OrganisationRestored,
    OrganisationDeleted,
    OwnershipTransferred,
    MemberAdded,
    MemberRoleChanged,
    MemberRemoved,
    InvitationCreated,
    InvitationWithdrawn,
    InvitationAccepted,
)
