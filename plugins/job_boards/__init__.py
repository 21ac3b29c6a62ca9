"""Job boards: postings from many feeds in one place, found by searching or by an alert."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.api import hookimpl, settings

from .config import ConfigSchema

if TYPE_CHECKING:
    import click

    from core.api import Blueprint, Event

    from .api import Provider

__all__ = ["ConfigSchema"]


@hookimpl
def register_events() -> list[type[Event]]:
    from . import events

    return events.ALL


@hookimpl
def register_handlers(on: Callable[..., None]) -> None:
    from . import handlers

    on(("posting.created", "posting.ingested"), handlers.match_alerts, scope="instance")


@hookimpl
def register_jobs(job: Callable[..., None]) -> None:
    from . import jobs

    job("fetch", jobs.fetch)
    job("fetch_source", jobs.fetch_source, timeout=600)
    job("digest", jobs.digest)


@hookimpl
def register_schedules(schedule: Callable[..., None]) -> None:
    schedule("fetch", job="job_boards.fetch", cron="7 * * * *")
    schedule(
        "daily_digest", job="job_boards.digest", cron="0 8 * * *", policy="once", args={"frequency": "daily"}
    )
    schedule(
        "weekly_digest",
        job="job_boards.digest",
        cron="0 8 * * 1",
        policy="once",
        args={"frequency": "weekly"},
    )


@hookimpl
def register_blueprints() -> list[Blueprint]:
    from . import routes

    return routes.ALL


@hookimpl
def register_commands() -> list[click.Command]:
    from .commands import ingest_file

    return [ingest_file]


@hookimpl
def job_sources() -> list[Provider]:
    from .providers import greenhouse, remoteok

    chosen = settings("job_boards")
    return [remoteok.provider(**chosen["remoteok"]), greenhouse.provider(**chosen["greenhouse"])]


@hookimpl(optionalhook=True)
def notification_types() -> list[dict[str, Any]]:
    from .notify import KINDS

    return KINDS


@hookimpl
def health() -> dict[str, Any]:
    from .status import report

    return report()
