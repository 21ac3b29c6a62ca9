"""What became of each mail. No recipient, subject or text is kept."""

from __future__ import annotations

from datetime import datetime

from core.api import (
    Index,
    InstanceMixin,
    Integer,
    Mapped,
    String,
    Text,
    UtcDateTime,
    mapped_column,
    model_base,
)

Base = model_base("mail")


class MailMessage(InstanceMixin, Base):
    """One mail; ``id`` is its key. Sent once ``sent_at`` is set; ``failed_at`` is its last failure."""

    __tablename__ = "mail_message"
    __table_args__ = (Index(None, "sent_at"), Index(None, "failed_at"), Index(None, "created_at"))

    template: Mapped[str] = mapped_column(String(64))
    transport: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)
