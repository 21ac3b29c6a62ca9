"""Mail: what the instance has to say, by e-mail, through a transport of the operator's choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.api import data_dir, hookimpl, settings

from .config import ConfigSchema

__all__ = ["ConfigSchema"]


@hookimpl
def register_handlers(on: Callable[..., None]) -> None:
    from . import handlers

    for types, handler in handlers.TABLE:
        on(types, handler, queue="email", external=True, timeout=30, scope="instance")


@hookimpl
def register_jobs(job: Callable[..., None]) -> None:
    from . import jobs

    job("send", jobs.send, queue="email", timeout=60)
    job("prune", jobs.prune)


@hookimpl
def register_schedules(schedule: Callable[..., None]) -> None:
    schedule("prune", job="mail.prune", cron="20 3 * * *")


@hookimpl
def mail_transports() -> list[Any]:
    from .providers.file import FileTransport
    from .providers.smtp import SmtpTransport

    offered: list[Any] = [FileTransport(data_dir() / "mail")]
    smtp = settings("mail")["smtp"]
    return [*offered, SmtpTransport(smtp)] if smtp["host"] else offered


@hookimpl
def health(config: dict[str, Any]) -> dict[str, Any]:
    from .status import report

    return report(config)
