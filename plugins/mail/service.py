"""One mail from its template to a transport, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core.api import Permanent, Retry, get_logger, has_public_url, public_url, settings, utcnow

from . import ledger, overrides, suppression
from .catalogue import kind_of
from .config import sender, transport_names
from .failover import hand_over
from .message import address, compose
from .render import SHIPPED_LOCALE
from .transport import Outgoing, Refused

log = get_logger(__name__)


def deliver(
    key: UUID,
    *,
    to: str,
    template: str,
    context: Mapping[str, object],
    locale: str = SHIPPED_LOCALE,
    organisation: UUID | None = None,
    unsubscribe: str | None = None,
) -> None:
    """Send one mail; does nothing where ``key`` was sent before.

    ``locale`` is the reader's; ``organisation`` the one it is sent for, whose templates are looked at
    first. Call it outside a transaction. Raises ``Retry`` where a later attempt may succeed and
    ``Permanent`` where none will. Neither says what the mail says.
    """
    if ledger.sent(key):
        return
    ledger.enter(key, template, to, organisation)
    config = settings("mail")
    try:
        kind = kind_of(template)
        reason = suppression.blocks(address(to).addr_spec, security=kind.security)
        if reason is not None:
            ledger.note(key, "suppressed", reason=f"the address is on the suppression list: {reason}")
            log.info("mail suppressed", template=template, reason=reason, key=str(key))
            return
        rendered = overrides.rendered(template, _site(config) | dict(context), locale, organisation)
        mail = _composed(key, to, rendered, config, None if kind.security else unsubscribe)
    except (LookupError, Refused) as fault:
        ledger.note(key, "failed", reason=str(fault))
        raise Permanent(str(fault)) from None
    _send(mail, template, rendered.source, transport_names(config))


def site_url(config: Mapping[str, Any]) -> str | None:
    """Where mails lead: what the settings say, else where people reach this instance, if anybody said."""
    return config["site_url"] or (public_url() if has_public_url() else None)


def site() -> dict[str, object]:
    """The variables every template has."""
    return _site(settings("mail"))


def _site(config: Mapping[str, Any]) -> dict[str, object]:
    return {"site": config["site"], "site_url": site_url(config)}


def _composed(
    key: UUID, to: str, rendered: overrides.Rendered, config: Mapping[str, Any], unsubscribe: str | None
) -> Outgoing:
    return compose(
        rendered.content, to=to, sender=sender(config), key=key, now=utcnow(), unsubscribe=unsubscribe
    )


def _send(mail: Outgoing, template: str, source: str, names: list[str]) -> None:
    outcome = hand_over(mail, names)
    about = {"transport": outcome.transport, "source": source}
    if isinstance(outcome.fault, Refused):
        ledger.note(mail.key, "failed", reason=str(outcome.fault), **about)
        raise Permanent(str(outcome.fault))
    if outcome.fault is not None:
        ledger.note(mail.key, "queued", reason=str(outcome.fault), **about)
        raise Retry(outcome.fault.after, str(outcome.fault))
    ledger.note(mail.key, "sent", reference=outcome.where[:200], **about)
    log.info(
        "mail sent", template=template, transport=outcome.transport, where=outcome.where, key=str(mail.key)
    )
