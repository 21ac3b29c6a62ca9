"""A page of what a search finds, newest first, and how much there is."""

from __future__ import annotations

import base64
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from core.api import Invalid, and_, db, func, or_, select, utcnow

from .models import Posting, salary_of
from .search import Filters, conditions

COUNTED = 1000
"""``total`` is exact up to here; beyond, counting would cost more than it tells."""

_SHOWN = (
    *(
        Posting.id,
        Posting.source,
        Posting.title,
        Posting.company,
        Posting.location,
        Posting.remote,
        Posting.type,
    ),
    *(Posting.salary_min, Posting.salary_max, Posting.salary_currency, Posting.salary_period),
    *(Posting.excerpt, Posting.tags, Posting.source_url, Posting.apply_url, Posting.attribution),
    *(Posting.posted_at, Posting.expires_at),
)


def search(
    wanted: Filters, *, limit: int = 20, cursor: str | None = None, page: int | None = None
) -> dict[str, Any]:
    """``{"items", "next_cursor", "total", "total_is_exact"}``, in the shape of ``SearchOut``.

    Pages are found by ``cursor`` at the same cost each, or by number within the first 1,000.
    Raises ``Invalid``.
    """
    where = conditions(wanted, utcnow())
    found = (
        select(*_SHOWN).where(where).order_by(Posting.posted_at.desc(), Posting.id.desc()).limit(limit + 1)
    )
    if cursor is not None and page is not None:
        raise Invalid(errors={"page": ["Goes without a cursor."]})
    if cursor is not None:
        found = found.where(_after(cursor))
    elif page is not None:
        if (page - 1) * limit >= COUNTED:
            raise Invalid(
                errors={"page": [f"Reaches beyond the first {COUNTED:,}; follow nextCursor instead."]}
            )
        found = found.offset((page - 1) * limit)
    rows = db.session.execute(found).all()
    counted = select(func.count()).select_from(select(Posting.id).where(where).limit(COUNTED + 1).subquery())
    total = db.session.scalar(counted) or 0
    items = [{**row._mapping, "salary": salary_of(row)} for row in rows[:limit]]
    return {
        "items": items,
        "next_cursor": _cursor(items[-1]) if len(rows) > limit else None,
        "total": min(total, COUNTED),
        "total_is_exact": total <= COUNTED,
    }


def _cursor(item: dict[str, Any]) -> str:
    place = json.dumps([item["posted_at"].isoformat(), item["id"].hex])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _after(cursor: str) -> Any:
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        told, id = json.loads(place)
        at, last = datetime.fromisoformat(told), UUID(id)
        if at.tzinfo is None:
            raise ValueError(told)
    except (ValueError, TypeError, AttributeError):
        raise Invalid(errors={"cursor": ["Is none that this search gave."]}) from None
    return or_(Posting.posted_at < at, and_(Posting.posted_at == at, Posting.id < last))
