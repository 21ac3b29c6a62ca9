"""Audit: what happened, who did it and from where, in chains of hashes that nothing is taken out of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from core.api import AUDITED, Blueprint, hookimpl


@hookimpl
def register_blueprints() -> list[Blueprint]:
    from .routes import blp

    return [blp]


@hookimpl
def register_handlers(on: Callable[..., Any]) -> None:
    from .record import record

    # one key: the rows of a chain are written one after the other, in the order of the events
    on(AUDITED, record, scope="instance", order=lambda _event: "chain")


@hookimpl
def register_jobs(job: Callable[..., Any]) -> None:
    from .heads import export

    job("export_heads", export, timeout=600)


@hookimpl
def register_schedules(schedule: Callable[..., Any]) -> None:
    schedule("export_heads", job="audit.export_heads", cron="7 * * * *", policy="once")


@hookimpl
def register_commands() -> list[click.Command]:
    from .commands import audit

    return [audit]
