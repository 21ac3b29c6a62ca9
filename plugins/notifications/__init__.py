"""Notifications: an inbox for each person, filled from other plugins' events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.api import Blueprint, hookimpl


@hookimpl
def register_blueprints() -> list[Blueprint]:
    from .routes import blp

    return [blp]


@hookimpl
def register_handlers(on: Callable[..., Any]) -> None:
    from .handlers import tell
    from .types import event_types

    if types := event_types():
        on(types, tell, queue="notification")
