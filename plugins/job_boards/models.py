"""Postings and their sources belong to the instance; alerts and their matches to an organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from core.api import (
    ForeignKey,
    Index,
    InstanceMixin,
    Integer,
    Json,
    Mapped,
    String,
    TenantMixin,
    Text,
    UniqueConstraint,
    Uuid,
    mapped_column,
    model_base,
    tenant_fk,
)

Base = model_base("job_boards")


class Posting(InstanceMixin, Base):
    """A job advert. ``(source, external_id)`` is its identity.

    ``search_text`` and ``*_key`` are folded for searching; ``digest`` tells whether the source says
    something new, ``fingerprint`` whether another source tells of the same job.
    """

    __tablename__ = "job_boards_posting"
    __table_args__ = (
        UniqueConstraint("source", "external_id"),
        Index(None, "posted_at", "id"),
        Index(None, "location_key", "type"),
        Index(None, "fingerprint"),
        Index(None, "duplicate_of"),
        Index(None, "ingest_id"),
    )

    source: Mapped[str] = mapped_column(String(40))
    external_id: Mapped[str] = mapped_column(String(200))
    feed: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(300))
    company: Mapped[str] = mapped_column(String(200))
    location: Mapped[str] = mapped_column(String(200))
    remote: Mapped[bool]
    type: Mapped[str | None] = mapped_column(String(20))
    salary_min: Mapped[int | None] = mapped_column(Integer)
    salary_max: Mapped[int | None] = mapped_column(Integer)
    salary_currency: Mapped[str | None] = mapped_column(String(3))
    salary_period: Mapped[str | None] = mapped_column(String(10))
    salary_year_min: Mapped[int | None] = mapped_column(Integer)
    salary_year_max: Mapped[int | None] = mapped_column(Integer)
    description: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(String(300))
    tags: Mapped[list[str]] = mapped_column(Json)
    requirements: Mapped[list[str]] = mapped_column(Json)
    benefits: Mapped[list[str]] = mapped_column(Json)
    source_url: Mapped[str] = mapped_column(String(2000))
    apply_url: Mapped[str | None] = mapped_column(String(2000))
    attribution: Mapped[str] = mapped_column(String(300))
    posted_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime]
    fingerprint: Mapped[str] = mapped_column(String(32))
    digest: Mapped[str] = mapped_column(String(32))
    search_text: Mapped[str] = mapped_column(Text)
    location_key: Mapped[str] = mapped_column(String(200))
    company_key: Mapped[str] = mapped_column(String(200))
    duplicate_of: Mapped[UUID | None] = mapped_column(
        ForeignKey("job_boards_posting.id", ondelete="SET NULL")
    )
    ingest_id: Mapped[UUID | None] = mapped_column(ForeignKey("job_boards_ingest.id", ondelete="SET NULL"))

    @property
    def salary(self) -> dict[str, Any] | None:
        """As the advert says it, or ``None``."""
        return salary_of(self)


def salary_of(row: Any) -> dict[str, Any] | None:
    """The salary in the columns of a posting's row, or ``None``."""
    if row.salary_period is None:
        return None
    return {
        "min": row.salary_min,
        "max": row.salary_max,
        "currency": row.salary_currency,
        "period": row.salary_period,
    }


class SourceHealth(InstanceMixin, Base):
    """How one feed has done: when it last answered, what was wrong, when it may be asked again."""

    __tablename__ = "job_boards_source"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(120))
    provider: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(String(2000), default="")
    etag: Mapped[str | None] = mapped_column(String(300))
    last_modified: Mapped[str | None] = mapped_column(String(100))
    last_attempt_at: Mapped[datetime | None]
    last_ok_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(500))
    last_error_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer, default=0)
    next_attempt_at: Mapped[datetime | None]
    runs: Mapped[int] = mapped_column(Integer, default=0)
    created_count: Mapped[int] = mapped_column(Integer, default=0)
    updated_count: Mapped[int] = mapped_column(Integer, default=0)
    skipped_count: Mapped[int] = mapped_column(Integer, default=0)


class Ingest(InstanceMixin, Base):
    """One reading of one answer or file, and what became of its records.

    A job that is run again finds its own by ``run_key`` and continues it.
    """

    __tablename__ = "job_boards_ingest"
    __table_args__ = (UniqueConstraint("run_key"), Index(None, "feed", "created_at"))

    feed: Mapped[str] = mapped_column(String(120))
    provider: Mapped[str] = mapped_column(String(40))
    run_key: Mapped[str | None] = mapped_column(String(120))
    finished_at: Mapped[datetime | None]
    created: Mapped[int] = mapped_column(Integer, default=0)
    updated: Mapped[int] = mapped_column(Integer, default=0)
    unchanged: Mapped[int] = mapped_column(Integer, default=0)
    skipped: Mapped[int] = mapped_column(Integer, default=0)
    skipped_records: Mapped[list[dict[str, str]]] = mapped_column(Json, default=list)


class Alert(TenantMixin, Base):
    """A search that somebody wants to hear of. ``filters`` is in the shape of ``search.Filters.as_json``."""

    __tablename__ = "job_boards_alert"
    __table_args__ = (Index(None, "organisation_id", "user_id", "is_active"),)

    user_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("core_user.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(120))
    filters: Mapped[dict[str, Any]] = mapped_column(Json)
    frequency: Mapped[str] = mapped_column(String(10), default="instant")
    is_active: Mapped[bool] = mapped_column(default=True)
    last_sent_at: Mapped[datetime | None]


class AlertMatch(TenantMixin, Base):
    """A new posting that an alert's filters let through. ``sent_at`` is set when its owner was told."""

    __tablename__ = "job_boards_alert_match"
    __table_args__ = (
        UniqueConstraint("organisation_id", "alert_id", "posting_id"),
        Index(None, "ingest_id"),
        Index(None, "posting_id"),
        Index(None, "sent_at"),
    )

    alert_id: Mapped[UUID] = tenant_fk(Alert)
    posting_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("job_boards_posting.id", ondelete="CASCADE"))
    ingest_id: Mapped[UUID | None] = mapped_column(
        Uuid, ForeignKey("job_boards_ingest.id", ondelete="SET NULL")
    )
    sent_at: Mapped[datetime | None]
