"""Declarative bases: one registry a plugin over one ``MetaData``, and the two kinds of rows.

A shared registry would let one plugin's bad ``relationship()`` break every query of core; a
registry of its own keeps the fault where it was made.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedColumn,
    RelationshipProperty,
    mapped_column,
    registry,
)

from core.clock import utcnow

from .types import UtcDateTime, uuid7

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""Every table of core and of all imported plugins."""

tenant_tables: set[str] = set()
"""Names of the tables whose rows belong to an organisation."""

_registries: dict[str, list[registry]] = {}


class TableNameError(ValueError):
    """A plugin's table lacks the plugin's name as prefix."""


class InstanceMixin:
    """Rows of the instance: id and times, no organisation."""

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, default=uuid7)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow, onupdate=utcnow)


class TenantMixin(InstanceMixin):
    """Rows of an organisation. ``organisation_id`` is filled from the scope; never assign it."""

    organisation_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("core_organisation.id", ondelete="CASCADE")
    )


def tenant_fk(
    target: type[TenantMixin], *, ondelete: str = "CASCADE", nullable: bool = False
) -> MappedColumn[Any]:
    """A column that points at ``target`` inside the same organisation.

    The foreign key is ``(organisation_id, <column>)``, so that a row can never point into another
    organisation, whatever the code above it does. ``SET NULL`` is refused: it would null the
    organisation too.
    """
    if ondelete.upper() == "SET NULL":
        raise ValueError("SET NULL would null organisation_id too; use CASCADE or RESTRICT")
    table = target.__table__  # type: ignore[attr-defined]
    return mapped_column(Uuid, nullable=nullable, info={"tenant_fk": (table.name, ondelete)})


def model_base(plugin: str) -> type[DeclarativeBase]:
    """A declarative base for ``plugin`` (its manifest's name; ``core`` for core).

    Raises ``TableNameError`` for a table not called ``<plugin>_...``.
    """
    own = registry(metadata=metadata, type_annotation_map={datetime: UtcDateTime, UUID: Uuid})

    class Base(DeclarativeBase):
        registry = own
        __abstract__ = True

        def __init_subclass__(cls, **kwargs: Any) -> None:
            name = cls.__dict__.get("__tablename__")
            if name is not None and not name.startswith(f"{plugin}_"):
                raise TableNameError(f"table {name} of plugin {plugin} must be called {plugin}_...")
            super().__init_subclass__(**kwargs)
            table = cls.__dict__.get("__table__")
            if table is not None and issubclass(cls, TenantMixin):
                _make_tenant(table)

    _registries.setdefault(plugin, []).append(own)
    return Base


def configure(plugin: str) -> None:
    """Configure ``plugin``'s mappers now. Raises what SQLAlchemy finds wrong with them, and ``ValueError``
    for a backref on another plugin's class, which would outlive the plugin that put it there."""
    for own in _registries.get(plugin, ()):
        _refuse_reaching(own)
    for own in _registries.get(plugin, ()):
        own.configure()


def _refuse_reaching(own: registry) -> None:
    for mapper in own.mappers:
        for key, prop in mapper._props.items():
            if isinstance(prop, RelationshipProperty) and prop.backref and _is_foreign(prop.argument, own):
                where = f"{mapper.class_.__name__}.{key}"
                raise ValueError(f"{where} puts a backref on another plugin's class; leave it out")


def _is_foreign(target: Any, own: registry) -> bool:
    """Whether a relationship's target is mapped by another registry; a name is looked up in its own alone."""
    if callable(target) and not isinstance(target, type):
        target = target()
    mapper = getattr(target, "__mapper__", None)  # inspect() would configure it
    return mapper is not None and mapper.registry is not own


def forget(plugin: str) -> None:
    """Take ``plugin``'s mappers and tables out again, after it failed to load."""
    for own in _registries.pop(plugin, ()):
        names = [mapper.local_table.name for mapper in own.mappers if isinstance(mapper.local_table, Table)]
        own.dispose()
        for name in names:
            tenant_tables.discard(name)
            if name in metadata.tables:
                metadata.remove(metadata.tables[name])


def tables_of(plugin: str) -> list[Table]:
    """The tables that ``plugin``'s models declare, by name."""
    found = {
        mapper.local_table
        for own in _registries.get(plugin, ())
        for mapper in own.mappers
        if isinstance(mapper.local_table, Table)
    }
    return sorted(found, key=lambda table: table.name)


def _make_tenant(table: Table) -> None:
    """Give an organisation's table what ``tenant_fk`` needs to point at it, and its own keys."""
    tenant_tables.add(table.name)
    table.append_constraint(UniqueConstraint(table.c.organisation_id, table.c.id))
    for column in list(table.c):
        if "tenant_fk" in column.info:
            _point(table, column)


def _point(table: Table, column: Column[Any]) -> None:
    target, ondelete = column.info["tenant_fk"]
    table.append_constraint(
        ForeignKeyConstraint(
            [table.c.organisation_id, column],
            [f"{target}.organisation_id", f"{target}.id"],
            ondelete=ondelete,
        )
    )
    Index(None, table.c.organisation_id, column)
