"""Notes of an organisation."""

from __future__ import annotations

from core.api import Mapped, String, TenantMixin, mapped_column, model_base

Base = model_base("sample")


class Note(TenantMixin, Base):
    __tablename__ = "sample_note"

    text: Mapped[str] = mapped_column(String(200))
