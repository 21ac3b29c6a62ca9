"""Named jobs: one mail on behalf of another plugin, and forgetting old records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from . import ledger, service


def send(to: str, template: str, context: dict[str, Any], key: str) -> None:
    """``mail.send``: idempotent by ``key``, the UUID that ``api.send`` made."""
    service.deliver(UUID(key), to=to, template=template, context=context)


def prune() -> dict[str, int]:
    """``mail.prune``: forget what was sent more than thirty days ago."""
    return {"forgotten": ledger.prune()}
