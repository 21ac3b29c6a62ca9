"""What somebody tells others of themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import update

from core.db import db
from core.engine import emit

from .events import UserUpdated
from .models import User


def update_profile(user_id: UUID, **values: Any) -> None:
    """Set ``name`` or ``avatar``, whichever are given. Emits ``user.updated``."""
    if not values:
        return
    db.session.execute(update(User).where(User.id == user_id).values(**values))
    emit(UserUpdated(user_id=user_id, fields=sorted(values)))
