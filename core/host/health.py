"""How plugins say they are."""

from __future__ import annotations

from typing import Any

from core.hooks import HookFailed, hooks
from core.log import get_logger

from .record import Record

log = get_logger(__name__)

STATUSES = ("ok", "degraded", "down")


def health_of(record: Record) -> dict[str, Any] | None:
    """What the plugin's ``health`` hook says; ``None`` where it has none or does not run.

    A raise or a wrong answer is ``down`` with the name of what was raised, never more: the text of
    an exception may hold what the caller must not see.
    """
    if record.state != "active":
        return None
    try:
        answers = hooks().of(record.name, "health", config=record.config)
    except HookFailed as fault:
        log.warning("health check failed", plugin=record.name, error=repr(fault.__cause__))
        return {"status": "down", "reason": type(fault.__cause__).__name__}
    if not answers:
        return None
    answer = answers[0]
    if not isinstance(answer, dict) or answer.get("status") not in STATUSES:
        return {"status": "down", "reason": "the health hook must return a status: ok, degraded or down"}
    return answer
