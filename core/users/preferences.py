"""What somebody wants: language, time zone, which mail, and whatever a front end keeps for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, update

from core.db import db
from core.engine import emit
from core.errors import Invalid

from .events import UserUpdated
from .models import User

DEFAULTS: Mapping[str, Any] = {
    "email_notifications": True,
    "job_alerts": True,
    "newsletter": False,  # nobody gets it unasked
    "custom": {},
}
"""What holds until somebody says otherwise."""

LARGEST = 8_192
"""Bytes of JSON that ``custom`` may grow to."""

_COLUMNS = ("locale", "timezone")


def preferences_of(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Every preference, as stored or by default."""
    return {key: stored.get(key, default) for key, default in DEFAULTS.items()}


def update_preferences(user_id: UUID, **values: Any) -> None:
    """Set ``locale``, ``timezone`` and the keys of ``DEFAULTS``, whichever are given.

    ``custom`` is merged key by key, ``None`` taking a key away. Two callers at once lose nothing of
    each other's. Raises ``Invalid`` where ``custom`` would become too large. Emits ``user.updated``.
    """
    if not values:
        return
    stored = db.session.execute(
        select(User.preferences).where(User.id == user_id).with_for_update()
    ).scalar_one()
    columns = {key: values[key] for key in _COLUMNS if key in values}
    kept = {key: value for key, value in values.items() if key in DEFAULTS and key != "custom"}
    if "custom" in values:
        kept["custom"] = _merged(preferences_of(stored)["custom"], values["custom"])
    db.session.execute(
        update(User).where(User.id == user_id).values(**columns, preferences={**stored, **kept})
    )
    emit(UserUpdated(user_id=user_id, fields=sorted(values)))


def _merged(held: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = {key: value for key, value in {**held, **given}.items() if value is not None}
    if len(orjson.dumps(merged)) > LARGEST:
        raise Invalid(errors={"custom": [f"Must stay below {LARGEST} bytes of JSON altogether."]})
    return merged
