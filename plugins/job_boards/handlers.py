"""Hearing of our own postings: one handler for both events, so that they come in their order."""

from __future__ import annotations

from core.api import Delivery, Event

from . import alerts
from .events import PostingCreated, PostingIngested


def match_alerts(event: Event, _delivery: Delivery) -> None:
    """Record what a new posting matches; at an ingest's end tell each alert's owner once.

    Both events of an ingest carry its id as order key, so the end comes last. Idempotent by
    (alert, posting) and by what has been told of.
    """
    if isinstance(event, PostingCreated):
        alerts.record_matches(event.posting_id, event.ingest_id)
    elif isinstance(event, PostingIngested):
        alerts.tell_of_ingest(event.ingest_id)
