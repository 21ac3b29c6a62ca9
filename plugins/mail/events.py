"""What this plugin tells, for whoever keeps an audit. Addresses, never what a mail said."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from core.api import Event


@dataclass(frozen=True)
class MailBounced(Event, type="mail.bounced", version=1, scope="instance"):
    """A mail did not arrive; ``permanent`` where none will at that address. ``mail_id`` where it is known."""

    mail_id: UUID | None
    address: str | None
    permanent: bool
    provider: str


@dataclass(frozen=True)
class MailComplained(Event, type="mail.complained", version=1, scope="instance"):
    """Its reader called a mail spam."""

    mail_id: UUID | None
    address: str | None
    provider: str


@dataclass(frozen=True)
class SuppressionAdded(Event, type="mail.suppression_added", version=1, scope="instance"):
    """An address gets no mail any more: ``bounce``, ``complaint`` or ``manual``."""

    address: str
    reason: str
    provider: str | None = None


@dataclass(frozen=True)
class SuppressionRemoved(Event, type="mail.suppression_removed", version=1, scope="instance"):
    """An admin lets an address have mails again."""

    address: str
    reason: str


@dataclass(frozen=True)
class TemplateChanged(Event, type="mail.template_changed", version=1):
    """An organisation says something else in place of a shipped template."""

    template: str
    locale: str
    number: int


@dataclass(frozen=True)
class TemplateReverted(Event, type="mail.template_reverted", version=1):
    """It says what is shipped again, in these languages."""

    template: str
    locales: list[str]


ALL: list[type[Event]] = [
    MailBounced,
    MailComplained,
    SuppressionAdded,
    SuppressionRemoved,
    TemplateChanged,
    TemplateReverted,
]
