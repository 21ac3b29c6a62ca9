"""Two small tables for the tests of the wall: a note points at a folder of its organisation."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import String, Uuid
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Database, InstanceMixin, TenantMixin, model_base, tenant_fk

Base = model_base("walltest")


class Folder(TenantMixin, Base):
    __tablename__ = "walltest_folder"
    name: Mapped[str] = mapped_column(String(50))
    notes: Mapped[list[Note]] = relationship(
        primaryjoin="Folder.id == foreign(Note.folder_id)", viewonly=True, order_by="Note.text"
    )


class Note(TenantMixin, Base):
    __tablename__ = "walltest_note"
    text: Mapped[str] = mapped_column(String(50))
    folder_id: Mapped[UUID] = tenant_fk(Folder)


class Fact(InstanceMixin, Base):
    __tablename__ = "walltest_fact"
    text: Mapped[str] = mapped_column(String(50))
    seen_by: Mapped[UUID | None] = mapped_column(Uuid)


@dataclass
class World:
    """A database with two organisations."""

    database: Database
    here: UUID
    there: UUID
