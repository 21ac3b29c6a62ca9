"""How the plugin is: degraded while a feed fails, never down, for what is stored can be searched."""

from __future__ import annotations

from typing import Any

from core.api import begin

from . import sources


def report() -> dict[str, Any]:
    """The ``health`` hook's answer: feeds that fail, by name, with what they last said."""
    with begin(write=False):
        known = sources.health()
        every = sources.sources()
    failing = {
        name: known[name].last_error for name in sorted(every) if name in known and known[name].failures
    }
    return {"status": "degraded" if failing else "ok", "sources": len(every), "failing": failing}
