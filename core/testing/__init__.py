"""The kit for plugin authors, a pytest plugin: ``pytest_plugins = ["core.testing"]``.

``instance`` is a data directory with a migrated database and the plugins you name. Every fixture
works on an SQLite file and, where ``JOBSTEAD_TEST_DATABASE_URL`` names a PostgreSQL server, on a
database of its own there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.auth import EmailChanged, SecurityAlert
from core.host.environment import engine_for
from core.orgs.ending import erase as erase_organisation
from core.users import find_by_email

from .crowds import crowd
from .databases import Databases
from .instance import Instance, Person

__all__ = [
    "Databases",
    "EmailChanged",  # facts of core, for the tests of plugins that listen to them
    "Instance",
    "Person",
    "SecurityAlert",
    "crowd",
    "database_url",
    "databases",
    "engine_for",  # a connection as the owner of the tables, past every wall
    "erase_organisation",
    "find_by_email",
    "instance",
]


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Where databases for tests come from."""
    with Databases.of_environment(tmp_path_factory.mktemp("databases")) as source:
        yield source


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of an empty database that goes when the test ends."""
    with databases.empty() as url:
        yield url


@pytest.fixture
def instance(tmp_path: Path, databases: Databases) -> Iterator[Instance]:
    """An instance to configure: ``instance.plugins("mail", job_boards={...})``, then ``instance.app``."""
    made = Instance(tmp_path, databases)
    yield made
    made.close()
