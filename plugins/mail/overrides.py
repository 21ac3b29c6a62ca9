"""Templates that organisations wrote in place of ours: finding the one for a reader, and keeping them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from core.api import begin, db, get_logger, home_organisation, select, unscoped

from .models import MailTemplate
from .render import SHIPPED_LOCALE, Content, Source, Unusable, render, render_written

log = get_logger(__name__)

_SEPARATOR = re.compile(r"[-_]")


@dataclass(frozen=True)
class Rendered:
    """A mail's content, and whose template it came from: shipped, override or fallback."""

    content: Content
    source: str


def rendered(
    template: str, context: Mapping[str, object], locale: str, organisation: UUID | None
) -> Rendered:
    """What a mail says. Raises ``LookupError`` for an unknown template or a variable left out.

    An override that cannot be used with these values is passed over for the shipped one, which the log
    and the mail's record tell. Call it outside a transaction.
    """
    home_organisation()  # found out in a transaction of its own, where it is not known yet
    with begin(write=False):
        row = chosen(template, locale, organisation)
    if row is None:
        return Rendered(render(template, context), "shipped")
    try:
        return Rendered(render_written(template, source_of(row), context), "override")
    except Unusable as fault:
        log.warning(
            "override of a mail template cannot be used, the shipped one serves",
            template=template,
            locale=row.locale,
            organisation=str(row.organisation_id),
            part=fault.part,
        )
        return Rendered(render(template, context), "fallback")


def canonical(locale: str) -> str:
    """``de_at`` → ``de-AT``: one spelling for each language tag (RFC 5646, 2.1.1)."""
    head, *rest = _SEPARATOR.split(locale)
    spelt = {2: str.upper, 4: str.title}
    return "-".join([head.lower(), *(spelt.get(len(part), str.lower)(part) for part in rest)])


def chain(locale: str) -> list[str]:
    """Where a reader's language leads: ``de-AT`` → de-AT, de, en."""
    parts = canonical(locale).split("-")
    longer = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return list(dict.fromkeys([*longer, SHIPPED_LOCALE]))


def source_of(row: MailTemplate) -> Source:
    """What a row says."""
    return Source(row.subject, row.text, row.html, row.locale)


def chosen(template: str, locale: str, organisation: UUID | None) -> MailTemplate | None:
    """The organisation's own, in the reader's language or a wider one; else the instance's, likewise.

    The instance's are those of its home organisation. Reads in the open unit of work.
    """
    owners = [owner for owner in (organisation, home_organisation()) if owner is not None]
    languages = chain(locale)
    with unscoped("whoever has no template of their own has the instance's"):
        rows = db.session.scalars(
            select(MailTemplate).where(
                MailTemplate.template == template,
                MailTemplate.organisation_id.in_(owners),
                MailTemplate.locale.in_(languages),
                MailTemplate.current.is_(True),
            )
        ).all()
    return min(
        rows,
        key=lambda row: (owners.index(row.organisation_id), languages.index(row.locale)),
        default=None,
    )
