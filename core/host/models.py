"""What admins decided about plugins, and the number that tells processes they are out of date."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import utcnow
from core.db import UtcDateTime, model_base

Base = model_base("core")

COUNTER = "core"
"""Name of the row that carries the instance's generation; no plugin may be called so."""


class PluginState(Base):
    """The wish for one plugin; the operator's file overrules it.

    ``generation`` is the instance's when the wish was written. The instance's own stands in the row
    named ``COUNTER``, so that concurrent changes wait for one another and never share a number.
    """

    __tablename__ = "core_plugin"

    name: Mapped[str] = mapped_column(String(63), primary_key=True)
    enabled: Mapped[bool]
    generation: Mapped[int]
    changed_by: Mapped[str] = mapped_column(String(80), default="system")
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, onupdate=utcnow)
