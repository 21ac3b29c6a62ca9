"""What this plugin tells: postings belong to the instance, matches of an alert to its organisation."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.api import Event


@dataclass(frozen=True)
class PostingCreated(Event, type="posting.created", version=1, scope="instance"):
    """A posting was seen for the first time."""

    posting_id: UUID
    ingest_id: UUID
    source: str
    title: str
    company: str


@dataclass(frozen=True)
class PostingUpdated(Event, type="posting.updated", version=1, scope="instance"):
    """A source tells something else of a posting than before."""

    posting_id: UUID
    ingest_id: UUID
    source: str


@dataclass(frozen=True)
class PostingIngested(Event, type="posting.ingested", version=1, scope="instance"):
    """An answer or file has been read to its end; it comes after the ``posting.created`` of that ingest."""

    ingest_id: UUID
    source: str
    created: int
    updated: int
    skipped: int


@dataclass(frozen=True)
class JobAlertMatched(Event, type="job_alert.matched", version=1, scope="organisation"):
    """There are ``count`` postings its owner has not been told of. ``key`` names this telling."""

    alert_id: UUID
    user_id: UUID
    alert_name: str
    count: int
    frequency: str
    key: str
    ingest_id: UUID | None = None


ALL = [PostingCreated, PostingUpdated, PostingIngested, JobAlertMatched]
