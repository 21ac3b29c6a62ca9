"""Templates as an admin sees and writes them, for the organisation acted for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from core.api import (
    Conflict,
    IntegrityError,
    Invalid,
    NotFound,
    db,
    emit,
    func,
    organisation_id,
    principal,
    select,
    update,
)

from .catalogue import KINDS, Kind
from .events import TemplateChanged, TemplateReverted
from .models import MailTemplate
from .overrides import canonical, chosen, source_of
from .render import SHIPPED_LOCALE, Content, Source, Unusable, render_written, shipped
from .service import site


def listed() -> list[dict[str, Any]]:
    """Every template, and the languages in which this organisation says something else."""
    written: dict[str, list[str]] = {}
    for row in _current():
        written.setdefault(row.template, []).append(row.locale)
    return [_described(known, written.get(known.key, [])) for known in KINDS.values()]


def shown(template: str, locale: str | None) -> dict[str, Any]:
    """One template as a reader of ``locale`` gets it. Raises ``NotFound``."""
    known = kind(template)
    row = chosen(template, locale or SHIPPED_LOCALE, organisation_id())
    source = source_of(row) if row is not None else shipped(template)
    return {
        **_described(known, [each.locale for each in _current(template)]),
        "sample": dict(known.sample),
        "source": origin(row),
        **texts(source),
        "version": row.version if row is not None else None,
        "written_by": row.written_by if row is not None else None,
        "updated_at": row.created_at if row is not None else None,
        "versions": _versions(template),
    }


def write(template: str, *, locale: str, subject: str, text: str, html: str) -> dict[str, Any]:
    """Say this in place of the shipped template; what was said before stays as an older version.

    Raises ``NotFound``, ``Invalid`` naming the part and line that is wrong, and ``Conflict`` where somebody
    else writes at this moment.
    """
    source = Source(subject, text, html, canonical(locale))
    filled(kind(template), source)
    mine = (MailTemplate.template == template, MailTemplate.locale == source.locale)
    number = (db.session.scalar(select(func.max(MailTemplate.version)).where(*mine)) or 0) + 1
    row = MailTemplate(
        template=template,
        locale=source.locale,
        version=number,
        subject=subject,
        text=text,
        html=html,
        written_by=principal().user_id,
    )
    try:
        with db.session.begin_nested():
            db.insert(row)
    except IntegrityError:
        raise Conflict("Somebody else is writing this template: read it again.") from None
    db.session.execute(
        update(MailTemplate).where(*mine, MailTemplate.version != number).values(current=False)
    )
    emit(
        TemplateChanged(template=template, locale=source.locale, number=number), order_key=f"mail:{template}"
    )
    db.session.flush()
    return shown(template, source.locale)


def revert(template: str, locale: str | None) -> None:
    """Say what is shipped again, in ``locale`` or every language. Raises ``NotFound``."""
    kind(template)
    mine = [MailTemplate.template == template, MailTemplate.current.is_(True)]
    if locale is not None:
        mine.append(MailTemplate.locale == canonical(locale))
    gone = update(MailTemplate).where(*mine).values(current=False).returning(MailTemplate.locale)
    locales = sorted(db.session.scalars(gone).all())
    if locales:
        emit(TemplateReverted(template=template, locales=locales), order_key=f"mail:{template}")


def filled(known: Kind, source: Source) -> Content:
    """``source`` with made-up values. Raises ``Invalid`` naming what is wrong with it."""
    try:
        return render_written(known.key, source, {**known.sample, **site()})
    except Unusable as fault:
        raise Invalid("This template cannot be used.", errors={fault.part: [str(fault)]}) from None


def origin(row: MailTemplate | None) -> str:
    """Whose template it is: shipped, the organisation's, or the instance's."""
    if row is None:
        return "shipped"
    return "organisation" if row.organisation_id == organisation_id() else "instance"


def texts(source: Source) -> dict[str, str]:
    """A template's parts, by name."""
    return {
        "locale": source.locale,
        "subject": source.subject,
        "text": source.text,
        "html": source.html,
    }


def kind(template: str) -> Kind:
    """The kind called ``template``. Raises ``NotFound``."""
    if template not in KINDS:
        raise NotFound
    return KINDS[template]


def _current(template: str | None = None) -> Iterable[MailTemplate]:
    found = select(MailTemplate).where(MailTemplate.current.is_(True)).order_by(MailTemplate.locale)
    return db.session.scalars(found if template is None else found.where(MailTemplate.template == template))


def _versions(template: str) -> list[dict[str, Any]]:
    found = select(MailTemplate).where(MailTemplate.template == template)
    rows = db.session.scalars(
        found.order_by(MailTemplate.created_at.desc(), MailTemplate.id.desc()).limit(50)
    )
    return [_version(row.locale, row.version, row.current, row.created_at, row.written_by) for row in rows]


def _version(
    locale: str, version: int, current: bool, created_at: datetime, written_by: UUID | None
) -> dict[str, Any]:
    return {
        "locale": locale,
        "version": version,
        "current": current,
        "created_at": created_at,
        "written_by": written_by,
    }


def _described(known: Kind, locales: Iterable[str]) -> dict[str, Any]:
    return {
        "key": known.key,
        "summary": known.summary,
        "security": known.security,
        "variables": list(known.variables),
        "locales": sorted({SHIPPED_LOCALE, *locales}),
        "overridden": sorted(locales),
    }
