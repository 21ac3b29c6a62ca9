"""mfa: a second step of signing in, by an authenticator app or a recovery code."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from core.api import hookimpl

from .config import ConfigSchema

if TYPE_CHECKING:
    import click

    from core.api import Blueprint, Event

__all__ = ["ConfigSchema"]


@hookimpl
def register_events() -> list[type[Event]]:
    from . import events

    return events.ALL


@hookimpl
def register_jobs(job: Callable[..., None]) -> None:
    from . import enrolment

    job("tidy", enrolment.tidy)


@hookimpl
def register_schedules(schedule: Callable[..., None]) -> None:
    schedule("tidy", job="mfa.tidy", cron="40 3 * * *", policy="once")


@hookimpl
def register_blueprints() -> list[Blueprint]:
    from . import routes

    return routes.ALL


@hookimpl
def register_commands() -> list[click.Command]:
    from .commands import mfa

    return [mfa]


@hookimpl
def login_guard(user_id: UUID) -> list[str] | None:
    from .verifying import methods

    return methods(user_id)
