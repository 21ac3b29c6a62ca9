"""Forgetting what is over."""

from __future__ import annotations

from core.api import begin, db, delete, utcnow

from .models import EntryCode, SpentState


def forget() -> dict[str, int]:
    """Delete codes and states that have expired; safe to repeat."""
    gone = {}
    for name, model in (("codes", EntryCode), ("states", SpentState)):
        with begin():
            over = delete(model).where(model.expires_at < utcnow()).returning(model.id)
            gone[name] = len(db.session.execute(over.execution_options(synchronize_session=False)).all())
    return gone
