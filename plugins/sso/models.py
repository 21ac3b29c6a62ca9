"""Which accounts elsewhere are whose, and what must not be used twice. No token of a provider is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from core.api import (
    ForeignKey,
    Index,
    InstanceMixin,
    Json,
    Mapped,
    String,
    UniqueConstraint,
    UtcDateTime,
    Uuid,
    mapped_column,
    model_base,
    utcnow,
)

Base = model_base("sso")


class Identity(InstanceMixin, Base):
    """An account at an issuer that lets somebody in. ``(issuer, subject)`` is all that identifies it."""

    __tablename__ = "sso_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"), Index(None, "user_id"))

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core_user.id", ondelete="CASCADE"))
    provider: Mapped[str] = mapped_column(String(60))
    """Its name in the settings when it was linked; for people to read."""
    issuer: Mapped[str] = mapped_column(String(500))
    subject: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(320))
    """As the issuer last said; shown to its owner, and nothing else depends on it."""
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class SpentState(InstanceMixin, Base):
    """A ``state`` that came back, as its hash: it comes back once."""

    __tablename__ = "sso_spent_state"
    __table_args__ = (Index(None, "expires_at"),)

    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class EntryCode(InstanceMixin, Base):
    """A code that a frontend exchanges for a session, as its hash, with the challenge it is bound to."""

    __tablename__ = "sso_entry_code"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core_user.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    challenge: Mapped[str] = mapped_column(String(43))
    amr: Mapped[list[Any]] = mapped_column(Json)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
