"""For other plugins: send a mail, or offer another way to send them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from core.api import Invalid, enqueue, organisation_id

from .message import address
from .render import templates
from .transport import Deferred, Outgoing, Refused, Transport

__all__ = ["Deferred", "Outgoing", "Refused", "Transport", "send", "templates"]

_NAMESPACE = UUID("6d2c6f0e-2f0b-5d0e-9a55-6b1f6c0f9a10")


def send(to: str, template: str, context: Mapping[str, object], key: str) -> UUID:
    """Have a mail sent once the current unit of work commits; answers the job's id.

    ``context`` must be JSON and no secret: it is stored with the job. One ``key`` is one mail to
    ``to`` from the organisation acted for, however often this is called (for thirty days).
    Raises ``Invalid`` for an address that cannot be, ``LookupError`` for an unknown template.
    """
    try:
        recipient = address(to).addr_spec
    except Refused as fault:
        raise Invalid(errors={"to": [str(fault)]}) from fault
    if template not in templates():
        raise LookupError(f"there is no mail template {template!r}; there are {', '.join(templates())}")
    mail = str(uuid5(_NAMESPACE, f"{organisation_id()} {recipient} {key}"))
    arguments = {"to": recipient, "template": template, "context": dict(context), "key": mail}
    return enqueue("mail.send", arguments, unique_key=mail)
