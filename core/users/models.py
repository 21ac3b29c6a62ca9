"""Tables of people: instance rows, shared by all organisations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.clock import utcnow
from core.db import InstanceMixin, Json, model_base

if TYPE_CHECKING:
    from sqlalchemy.orm import DeclarativeBase as Base
else:
    Base = model_base("core")

ROLES = ("superadmin", "admin", "developer", "author", "provider", "support")
"""Roles of the instance that somebody can be given; ``user`` is what everybody signed in is."""


class User(InstanceMixin, Base):
    """A person. ``email`` is kept case-folded, so that one address is one account."""

    __tablename__ = "core_user"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'suspended')", name="status"),
        Index(None, "created_at"),
        Index(None, "deleted_at"),
    )

    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(120), default="")
    avatar: Mapped[str | None] = mapped_column(String(500))
    status: Mapped[str] = mapped_column(String(16), default="active")
    verified_at: Mapped[datetime | None]
    locale: Mapped[str] = mapped_column(String(35), default="en")
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    preferences: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    last_login_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    """Since when somebody is deleted. Suspended until then; the row goes when the grace is over."""
    granted: Mapped[list[UserRole]] = relationship("UserRole", lazy="raise", viewonly=True)

    @property
    def verified(self) -> bool:
        """Whether they showed that the address is theirs."""
        return self.verified_at is not None

    @property
    def standing(self) -> str:
        """``active``, ``suspended`` or ``deleted``."""
        return self.status if self.deleted_at is None else "deleted"

    @property
    def roles(self) -> list[str]:
        """The roles of the instance they hold, the mightiest first; ask for ``granted`` when loading."""
        held = {grant.role for grant in self.granted}
        return [*(role for role in ROLES if role in held), *sorted(held.difference(ROLES)), "user"]

    @property
    def role(self) -> str:
        """The mightiest of them."""
        return self.roles[0]


class UserRole(Base):
    """A role of the instance that somebody holds beyond being a user."""

    __tablename__ = "core_user_role"
    __table_args__ = (Index(None, "role"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("core_user.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(String(40), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Role(InstanceMixin, Base):
    """A role of the instance that an admin made: a name for a set of permissions."""

    __tablename__ = "core_role"

    name: Mapped[str] = mapped_column(String(40), unique=True)
    summary: Mapped[str] = mapped_column(String(200), default="")
    permissions: Mapped[list[str]] = mapped_column(Json, default=list)
