"""Mail: what the instance has to say, by e-mail, through transports of the operator's choice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.api import Blueprint, Event, data_dir, hookimpl, settings

from .config import ConfigSchema

__all__ = ["ConfigSchema"]


@hookimpl
def register_blueprints() -> list[Blueprint]:
    from .routes import BLUEPRINTS

    return BLUEPRINTS


@hookimpl
def register_events() -> list[type[Event]]:
    from . import events

    return events.ALL


@hookimpl
def register_handlers(on: Callable[..., None]) -> None:
    from . import handlers

    for types, handler in handlers.TABLE:  # the time is for several transports, one after the other
        on(types, handler, queue="email", external=True, timeout=90, scope="instance")


@hookimpl
def register_jobs(job: Callable[..., None]) -> None:
    from . import jobs

    job("send", jobs.send, queue="email", timeout=90)
    job("prune", jobs.prune)


@hookimpl
def register_schedules(schedule: Callable[..., None]) -> None:
    schedule("prune", job="mail.prune", cron="20 3 * * *")


@hookimpl
def mail_transports() -> list[Any]:
    from .providers.file import FileTransport
    from .providers.resend import ResendTransport
    from .providers.sendgrid import SendgridTransport
    from .providers.smtp import SmtpTransport

    config = settings("mail")
    offered: list[Any] = [FileTransport(data_dir() / "mail")]
    if config["smtp"]["host"]:
        offered.append(SmtpTransport(config["smtp"]))
    if config["resend"]["api_key"]:
        offered.append(ResendTransport(config["resend"]))
    if config["sendgrid"]["api_key"]:
        offered.append(SendgridTransport(config["sendgrid"]))
    return offered


@hookimpl
def mail_inbound() -> list[Any]:
    from .providers.resend_events import ResendEvents
    from .providers.sendgrid_events import SendgridEvents

    config = settings("mail")
    secret, key = config["resend"]["webhook_secret"], config["sendgrid"]["webhook_key"]
    return [*([ResendEvents(secret)] if secret else []), *([SendgridEvents(key)] if key else [])]


@hookimpl
def health(config: dict[str, Any]) -> dict[str, Any]:
    from .status import report

    return report(config)
