"""Rendering a mail and handing it to the transport in use."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from core.api import Permanent, Retry, call_hook, get_logger, settings, utcnow

from . import ledger
from .config import sender, transport_name
from .message import compose
from .render import render
from .transport import Deferred, Outgoing, Refused, Transport

log = get_logger(__name__)


def deliver(key: UUID, *, to: str, template: str, context: Mapping[str, object]) -> None:
    """Send one mail; does nothing where ``key`` was sent before.

    Call it outside a transaction. Raises ``Retry`` where a later attempt may succeed and
    ``Permanent`` where none will. Neither says what the mail says.
    """
    if ledger.sent(key):
        return
    config = settings("mail")
    name = transport_name(config)
    try:
        where = _hand_over(name, _compose(key, to, template, context, config))
    except Refused as fault:
        ledger.record(key, template, name, reason=str(fault))
        raise Permanent(str(fault)) from None
    except Deferred as fault:
        ledger.record(key, template, name, reason=str(fault))
        raise Retry(None, str(fault)) from None
    ledger.record(key, template, name)
    log.info("mail sent", template=template, transport=name, where=where, key=str(key))


def transport(name: str) -> Transport:
    """The transport called ``name``. Raises ``Deferred`` where no active plugin offers it."""
    offered: list[Transport] = [offer for _, offers in call_hook("mail_transports") for offer in offers]
    for offer in offered:
        if offer.name == name:
            return offer
    there = ", ".join(sorted({offer.name for offer in offered}))
    raise Deferred(f"no transport is called {name!r}; there are {there or 'none'}")


def _compose(
    key: UUID, to: str, template: str, context: Mapping[str, object], config: Mapping[str, str]
) -> Outgoing:
    try:
        content = render(template, {"site": config["site"], "site_url": config["site_url"], **context})
    except LookupError as fault:
        raise Refused(str(fault)) from None
    return compose(content, to=to, sender=sender(config), key=key, now=utcnow())


def _hand_over(name: str, mail: Outgoing) -> str:
    chosen = transport(name)
    try:
        return chosen.deliver(mail)
    except (Refused, Deferred):
        raise
    except Exception as fault:  # its words are not ours to repeat: they could quote the mail
        raise Deferred(f"transport {name} raised {type(fault).__name__}") from None
