"""Named jobs: one mail on behalf of another plugin, and forgetting old records."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from core.api import organisation_id

from . import ledger, service
from .render import SHIPPED_LOCALE


def send(
    to: str,
    template: str,
    context: dict[str, Any],
    key: str,
    locale: str = SHIPPED_LOCALE,
    unsubscribe: str | None = None,
) -> None:
    """``mail.send``: idempotent by ``key``, the UUID that ``api.send`` made."""
    service.deliver(
        UUID(key),
        to=to,
        template=template,
        context=context,
        locale=locale,
        organisation=organisation_id(),
        unsubscribe=unsubscribe,
    )


def prune() -> dict[str, int]:
    """``mail.prune``: forget what was sent more than thirty days ago."""
    return {"forgotten": ledger.prune()}
