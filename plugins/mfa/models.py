"""Tables of the second step. No value in them is accepted as a credential."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.api import (
    ForeignKey,
    Index,
    InstanceMixin,
    Integer,
    Json,
    Mapped,
    String,
    UniqueConstraint,
    UtcDateTime,
    Uuid,
    mapped_column,
    model_base,
)

Base = model_base("mfa")


class Account(InstanceMixin, Base):
    """One person's second step as a whole: whoever changes it locks this row first."""

    __tablename__ = "mfa_account"

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core_user.id", ondelete="CASCADE"), unique=True)
    tries: Mapped[list[float]] = mapped_column(Json, default=list)
    """When codes were tried that were not right, in seconds since 1970, within the last hour."""


class Factor(InstanceMixin, Base):
    """An authenticator app. Until it is confirmed it guards nothing, and expires."""

    __tablename__ = "mfa_factor"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core_user.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16), default="totp")
    label: Mapped[str] = mapped_column(String(64), default="")
    secret: Mapped[str] = mapped_column(String(200))
    """Encrypted, and bound to this row and its owner."""
    last_step: Mapped[int] = mapped_column(Integer, default=0)
    """The newest time step a code of which was accepted: it and all before are worthless now."""
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class RecoveryCode(InstanceMixin, Base):
    """A code for the day the authenticator app is gone, as its digest; it is good once."""

    __tablename__ = "mfa_recovery_code"
    __table_args__ = (UniqueConstraint("user_id", "digest"),)

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core_user.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64))
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
