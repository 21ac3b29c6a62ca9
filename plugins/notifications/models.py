"""The inbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from core.api import (
    ForeignKey,
    Index,
    Json,
    Mapped,
    String,
    TenantMixin,
    Text,
    UniqueConstraint,
    UtcDateTime,
    Uuid,
    mapped_column,
    model_base,
)

Base = model_base("notifications")

TITLE_LENGTH = 200
KEY_LENGTH = 200


class Notification(TenantMixin, Base):
    """One thing told to one person in one organisation; ``key`` names the fact told."""

    __tablename__ = "notifications_notification"
    __table_args__ = (
        UniqueConstraint("organisation_id", "user_id", "key"),
        Index("ix_notifications_notification_inbox", "organisation_id", "user_id", "created_at", "id"),
        Index(None, "user_id"),  # for the cascade when a user goes
    )

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core_user.id", ondelete="CASCADE"))
    type: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(TITLE_LENGTH))
    body: Mapped[str] = mapped_column(Text)
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
