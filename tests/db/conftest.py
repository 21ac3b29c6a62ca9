"""A database with the tables of ``models`` and two organisations in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.db import Database, begin, uuid7
from core.orgs import Organisation
from core.testing import Databases
from core.testing.databases import make_tables
from tests.db.models import World

HERE, THERE = uuid7(), uuid7()


def lay_out(url: str) -> None:
    """Every table that is known and the two organisations, in an empty database."""
    make_tables(url)
    database = Database(url)
    with begin(on=database) as unit:
        for name, identifier in (("here", HERE), ("there", THERE)):
            values = {"id": identifier, "name": name, "slug": name, "kind": "team"}
            unit.connection.execute(Organisation.__table__.insert().values(values))
    database.dispose()


@pytest.fixture
def world(databases: Databases) -> Iterator[World]:
    with databases.migrated(__name__, lay_out) as url:
        world = World(Database(url), HERE, THERE)
        yield world
        world.database.dispose()
