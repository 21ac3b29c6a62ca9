"""Single sign-on: people get in by an account they have elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from core.api import hookimpl

from .config import ConfigSchema

if TYPE_CHECKING:
    from flask import Request

    from core.api import Blueprint, Event, Principal

__all__ = ["ConfigSchema"]


@hookimpl
def register_blueprints() -> list[Blueprint]:
    from . import account_routes, routes

    return [account_routes.blp, routes.blp]


@hookimpl
def register_events() -> list[type[Event]]:
    from . import events

    return events.ALL


@hookimpl
def register_jobs(job: Callable[..., None]) -> None:
    from . import jobs

    job("forget", jobs.forget)


@hookimpl
def register_schedules(schedule: Callable[..., None]) -> None:
    schedule("forget", job="sso.forget", cron="50 * * * *")


@hookimpl
def authenticate(request: Request) -> Principal | None:
    from .bearer import recognise

    return recognise(request)
