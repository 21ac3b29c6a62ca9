"""Organisations, who belongs to them, and who is asked to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import InstanceMixin, Json, TenantMixin, model_base
from core.users import User

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase as Base
else:
    Base = model_base("core")

ROLES = ("owner", "admin", "member", "viewer")
"""Roles in an organisation, the mightiest first."""

_HOME = text("kind = 'home'")
_PERSONAL = text("kind = 'personal'")
_PENDING = text("accepted_at IS NULL")


class Organisation(InstanceMixin, Base):
    """A tenant: what rows belong to. One is the home of the instance, and everybody has a personal one."""

    __tablename__ = "core_organisation"
    __table_args__ = (
        CheckConstraint("kind IN ('personal', 'team', 'home')", name="kind"),
        Index("uq_core_organisation_home", "kind", unique=True, sqlite_where=_HOME, postgresql_where=_HOME),
        Index(
            "uq_core_organisation_personal",
            "created_by",
            unique=True,
            sqlite_where=_PERSONAL,
            postgresql_where=_PERSONAL,
        ),
        Index(None, "created_at"),
        Index(None, "deletes_at"),
    )

    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="team")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("core_user.id", ondelete="SET NULL"))
    locale: Mapped[str] = mapped_column(String(35), default="en")
    branding: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    deletes_at: Mapped[datetime | None]
    """When it goes with all its rows; until then its owner can keep it after all."""


class Member(TenantMixin, Base):
    """Somebody's role in an organisation. Other rows point at the person, never at this row."""

    __tablename__ = "core_member"
    __table_args__ = (
        CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
        UniqueConstraint("organisation_id", "user_id"),
        Index(None, "user_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(16))
    user: Mapped[User] = relationship(User, lazy="raise", viewonly=True)


class Invitation(TenantMixin, Base):
    """An address that may join. What its mail carries is derived from this row, and only its hash is kept."""

    __tablename__ = "core_invitation"
    __table_args__ = (
        CheckConstraint("role IN ('admin', 'member', 'viewer')", name="role"),
        Index(
            "uq_core_invitation_pending",
            "organisation_id",
            "email",
            unique=True,
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
        Index(None, "expires_at"),
    )

    email: Mapped[str] = mapped_column(String(320))
    role: Mapped[str] = mapped_column(String(16))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("core_user.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
