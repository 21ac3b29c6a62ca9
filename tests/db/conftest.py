"""A database with the tables of ``models`` and two organisations in it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Column, Table, Uuid

from core.db import Database, begin, metadata, uuid7
from core.testing.databases import make_tables
from tests.db.models import World


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    organisations = metadata.tables.get("core_organisation")
    if organisations is None:
        organisations = Table("core_organisation", metadata, Column("id", Uuid, primary_key=True))
    make_tables(database_url)
    world = World(Database(database_url), uuid7(), uuid7())
    with begin(on=world.database) as unit:
        columns = {c.name: c for c in organisations.columns}
        for identifier in (world.here, world.there):
            values = {n: _some(c, identifier) for n, c in columns.items() if not c.nullable}
            unit.connection.execute(organisations.insert(), values)
    yield world
    world.database.dispose()


def _some(column: Column[object], identifier: UUID) -> object:
    """Any value the column takes: the organisations' own fields do not matter here."""
    kind = column.type.python_type if hasattr(column.type, "python_type") else str
    if kind is UUID:
        return identifier
    if column.default is not None:
        default = column.default
        return default.arg(None) if default.is_callable else default.arg
    return kind() if kind is not str else str(identifier)[-8:]
