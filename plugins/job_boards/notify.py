"""What the notifications plugin, where there is one, tells people about alerts."""

from __future__ import annotations

from typing import Any

from .events import JobAlertMatched


def alert_matched(event: JobAlertMatched) -> dict[str, Any]:
    """``12 new matches for Python in Berlin``."""
    matches = "1 new match" if event.count == 1 else f"{event.count} new matches"
    return {
        "user_id": event.user_id,
        "title": f"{matches} for {event.alert_name}",
        "body": "See them under this alert's matches.",
        "data": {"alertId": str(event.alert_id), "count": event.count, "frequency": event.frequency},
        "key": event.key,
    }


KINDS: list[dict[str, Any]] = [
    {
        "event": "job_alert.matched",
        "type": "job_alert",
        "summary": "New postings for a job alert",
        "render": alert_matched,
    }
]
