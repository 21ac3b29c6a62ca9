"""The chains: one for each organisation, one for the instance, and how far each has come."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from core.api import (
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

Base = model_base("audit")

TARGET_LENGTH = 100


class _Link:
    """What every row of a chain says. Database triggers refuse to change or delete one.

    ``previous`` and ``hash`` are SHA-256 in hex; ``data`` is JSON as text, for what is hashed must
    come back byte for byte. Nothing points at anybody: rows stay when people and organisations go.
    """

    seq: Mapped[int] = mapped_column(Integer)
    event_id: Mapped[UUID] = mapped_column(Uuid)
    action: Mapped[str] = mapped_column(String(100))
    actor: Mapped[str] = mapped_column(String(100))
    target_type: Mapped[str] = mapped_column(String(64))
    target_id: Mapped[str | None] = mapped_column(String(TARGET_LENGTH))
    ip: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(64))
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    data: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class OrganisationEntry(_Link, TenantMixin, Base):
    """What happened in an organisation. It outlives the organisation, so there is no foreign key."""

    __tablename__ = "audit_organisation_entry"
    __table_args__ = (
        UniqueConstraint("organisation_id", "seq"),
        UniqueConstraint("organisation_id", "event_id"),
        Index(None, "organisation_id", "actor", "seq"),
        Index(None, "organisation_id", "target_id", "seq"),
        {"info": {"outlives_organisation": True}},
    )

    organisation_id: Mapped[UUID] = mapped_column(Uuid)


class InstanceEntry(_Link, InstanceMixin, Base):
    """What happened on the instance, outside organisations."""

    __tablename__ = "audit_instance_entry"
    __table_args__ = (
        UniqueConstraint("seq"),
        UniqueConstraint("event_id"),
        Index(None, "actor", "seq"),
        Index(None, "target_id", "seq"),
    )


Entry = OrganisationEntry | InstanceEntry


class Chain(Base):
    """The end of a chain, locked by whoever adds to it. It only ever grows.

    ``name`` is ``instance`` or an organisation's id; ``exported`` the last number that went to the file.
    """

    __tablename__ = "audit_chain"

    name: Mapped[str] = mapped_column(String(36), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer)
    hash: Mapped[str] = mapped_column(String(64))
    exported: Mapped[int] = mapped_column(Integer)
