"""A relationship to nowhere."""

from __future__ import annotations

from core.api import InstanceMixin, Mapped, model_base, relationship

Base = model_base("broken_mapping")


class Orphan(InstanceMixin, Base):
    __tablename__ = "broken_mapping_orphan"

    parent: Mapped[object] = relationship("NobodyIsCalledSo")
