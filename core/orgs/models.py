"""Organisations and who belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.db import InstanceMixin, TenantMixin, model_base

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase as Base
else:
    Base = model_base("core")

ROLES = ("owner", "admin", "member", "viewer")
"""Roles in an organisation, the mightiest first."""

_HOME = text("kind = 'home'")
_PERSONAL = text("kind = 'personal'")


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
    )

    name: Mapped[str] = mapped_column(String(120))
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="team")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("core_user.id", ondelete="SET NULL"))


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
