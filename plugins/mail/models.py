"""What became of each mail, who gets none, what vendors told, and templates that somebody wrote."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.api import (
    Boolean,
    Index,
    InstanceMixin,
    Integer,
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

Base = model_base("mail")

STATUSES = ("queued", "sent", "failed", "suppressed", "delivered", "bounced", "complained")
"""In order: a mail goes on to a later one and never back, in whatever order things are told."""

REASONS = ("complaint", "bounce", "manual")
"""Why an address gets no mail; a later one stands where both hold."""


class MailMessage(InstanceMixin, Base):
    """One mail; ``id`` is its key. Of its recipient only a hint is kept, of its texts nothing.

    Handed over once ``sent_at`` is set; ``failed_at`` is its last failure. ``reference`` is what the
    transport answered. ``source`` tells whose template it was: shipped, override, or fallback where an
    override could not be used.
    """

    __tablename__ = "mail_message"
    __table_args__ = (
        Index(None, "sent_at"),
        Index(None, "failed_at"),
        Index(None, "created_at"),
        Index(None, "status", "created_at"),
        Index(None, "reference"),
    )

    template: Mapped[str] = mapped_column(String(64))
    organisation_id: Mapped[UUID | None] = mapped_column(Uuid)
    recipient: Mapped[str] = mapped_column(String(254), default="")
    status: Mapped[str] = mapped_column(String(16), default="queued")
    source: Mapped[str] = mapped_column(String(16), default="shipped")
    transport: Mapped[str] = mapped_column(String(64), default="")
    reference: Mapped[str | None] = mapped_column(String(200))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(Text)


class MailSuppression(InstanceMixin, Base):
    """An address that gets no mail; ``reason`` is one of ``REASONS``, ``provider`` whoever told us."""

    __tablename__ = "mail_suppression"
    __table_args__ = (UniqueConstraint("address"), Index(None, "created_at"))

    address: Mapped[str] = mapped_column(String(254))
    reason: Mapped[str] = mapped_column(String(16))
    detail: Mapped[str | None] = mapped_column(String(500))
    provider: Mapped[str | None] = mapped_column(String(64))


class MailInbound(InstanceMixin, Base):
    """Something a vendor told us: kept so that it has its effect once, however often it is told."""

    __tablename__ = "mail_inbound"
    __table_args__ = (UniqueConstraint("provider", "external_id"), Index(None, "created_at"))

    provider: Mapped[str] = mapped_column(String(64))
    external_id: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(16))


class MailTemplate(TenantMixin, Base):
    """One version of what an organisation says in place of a shipped template, in one language.

    ``current`` is the one in use; the others are history.
    """

    __tablename__ = "mail_template"
    __table_args__ = (UniqueConstraint("organisation_id", "template", "locale", "version"),)

    template: Mapped[str] = mapped_column(String(64))
    locale: Mapped[str] = mapped_column(String(35))
    version: Mapped[int] = mapped_column(Integer)
    current: Mapped[bool] = mapped_column(Boolean, default=True)
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text)
    written_by: Mapped[UUID | None] = mapped_column(Uuid)
