"""Whether mails go out: what happened last, and which transports could be used now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import ledger
from .config import transport_names
from .failover import transport
from .transport import Deferred


def report(config: Mapping[str, Any]) -> dict[str, Any]:
    """``down`` where no transport can be used, ``degraded`` where one of them cannot or the last mail failed.

    ``transports`` has each with its reason; ``transport`` is the first.
    """
    each = [_state(name) for name in transport_names(config)]
    reachable = any(state["reachable"] for state in each)
    latest = ledger.latest()
    success, failure = latest["last_success"], latest["last_failure"]
    failing = failure is not None and (success is None or failure > success)
    unusable = next((state["reason"] for state in each if not state["reachable"]), None)
    fine = not failing and unusable is None
    return {
        "status": "ok" if fine else "degraded" if reachable else "down",
        "transport": each[0]["name"],
        "reachable": reachable,
        "transports": each,
        "last_success": success.isoformat() if success else None,
        "last_failure": failure.isoformat() if failure else None,
        "reason": unusable or (latest["reason"] if failing else None),
    }


def _state(name: str) -> dict[str, Any]:
    try:
        transport(name).check()
    except Deferred as fault:
        return {"name": name, "reachable": False, "reason": str(fault)}
    return {"name": name, "reachable": True, "reason": None}
