"""For other plugins: tell somebody something without going through an event."""

from __future__ import annotations

from .service import notify

__all__ = ["notify"]
