"""Work by the clock: asking feeds, and telling the owners of daily and weekly alerts."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import Retry, current_task, enqueue, timedelta

from . import alerts, sources
from .fetch import refresh


def fetch() -> dict[str, int]:
    """Start one ``fetch_source`` for each feed that is due; one that is still running is left alone."""
    known = sources.health()
    due = [s for s in sources.sources().values() if sources.is_due(known.get(s.name), s)]
    for source in due:
        start(source.name)
    return {"started": len(due)}


def start(source: str, *, force: bool = False, after: timedelta | None = None) -> UUID:
    """Enqueue the fetching of one feed, in the open transaction; gives the task's id.

    A forced one has a key of its own: it does not wait behind one that sits out a pause.
    """
    return enqueue(
        "job_boards.fetch_source",
        {"source": source, "force": force},
        unique_key=f"{source}:now" if force else source,
        delay=after,
        organisation=None,
    )


def fetch_source(source: str, force: bool = False) -> dict[str, Any]:
    """Fetch one feed and store what is new. Idempotent by ``(source, external_id)`` and the task's id.

    A forced one that fails is over, so that an admin may try again at once; an ordinary one takes
    its place at the time the feed named.
    """
    found = sources.sources().get(source)
    if found is None:
        return {"status": "gone"}
    task = current_task()

    def progress(done: int, total: int) -> None:
        task.progress(done, total, "postings stored")

    try:
        return refresh(found, run_key=str(task.id), force=force, progress=progress)
    except Retry as later:
        if not force:
            raise
        start(source, after=later.after)
        return {"status": "failed", "reason": str(later)}


def digest(frequency: str) -> dict[str, int]:
    """Tell of ``daily`` or ``weekly`` alerts. Idempotent: what was told is marked as told with it."""
    return {"told": alerts.tell_digest(frequency)}
