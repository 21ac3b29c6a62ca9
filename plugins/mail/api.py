"""For other plugins: send a mail, or offer another way to send them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from core.api import Invalid, enqueue, organisation_id

from .catalogue import kind_of
from .message import address
from .render import SHIPPED_LOCALE, templates
from .tidings import Forged, Reporter, Tiding
from .transport import Deferred, Outgoing, Refused, Transport

__all__ = [
    "Deferred",
    "Forged",
    "Outgoing",
    "Refused",
    "Reporter",
    "Tiding",
    "Transport",
    "send",
    "templates",
]

_NAMESPACE = UUID("6d2c6f0e-2f0b-5d0e-9a55-6b1f6c0f9a10")


def send(
    to: str,
    template: str,
    context: Mapping[str, object],
    key: str,
    *,
    locale: str = SHIPPED_LOCALE,
    unsubscribe: str | None = None,
) -> UUID:
    """Have a mail sent once the current unit of work commits; answers the job's id.

    ``context`` must be JSON and no secret: it is stored with the job. One ``key`` is one mail to
    ``to`` from the organisation acted for, however often this is called (for thirty days). ``locale``
    is the reader's. ``unsubscribe`` is an https address that takes a POST (RFC 8058), for mails one may do
    without; one that guards an account never carries it.
    Raises ``Invalid`` for an address that cannot be, ``LookupError`` for an unknown template.
    """
    try:
        recipient = address(to).addr_spec
    except Refused as fault:
        raise Invalid(errors={"to": [str(fault)]}) from fault
    kind_of(template)
    mail = str(uuid5(_NAMESPACE, f"{organisation_id()} {recipient} {key}"))
    arguments = {
        "to": recipient,
        "template": template,
        "context": dict(context),
        "key": mail,
        "locale": locale,
        "unsubscribe": unsubscribe,
    }
    return enqueue("mail.send", arguments, unique_key=mail)
