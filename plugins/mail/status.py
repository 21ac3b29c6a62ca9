"""Whether mails go out: what happened last, and whether the transport could be used now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import ledger
from .config import transport_name
from .service import transport
from .transport import Deferred


def report(config: Mapping[str, Any]) -> dict[str, Any]:
    """``down`` where the transport cannot be used, ``degraded`` where the last attempt failed."""
    found: dict[str, Any] = {"transport": transport_name(config), "reachable": True}
    latest = ledger.latest()
    success, failure = latest["last_success"], latest["last_failure"]
    failing = failure is not None and (success is None or failure > success)
    found["last_success"] = success.isoformat() if success else None
    found["last_failure"] = failure.isoformat() if failure else None
    found["reason"] = latest["reason"] if failing else None
    try:
        transport(found["transport"]).check()
    except Deferred as fault:
        found |= {"reachable": False, "reason": str(fault)}
    found["status"] = "degraded" if failing else "ok"
    if not found["reachable"]:
        found["status"] = "down"
    return found
