"""The kit for plugin authors: a pytest plugin (``pytest_plugins = ["core.testing"]``).

Every fixture works on an SQLite file and, where ``JOBSTEAD_TEST_DATABASE_URL`` names a PostgreSQL
server, on a database of its own there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database that goes when the test ends."""
    server = os.environ.get("JOBSTEAD_TEST_DATABASE_URL")
    if not server:
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    name = f"jobstead_test_{uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: str, statement: str) -> None:
    if not re.fullmatch(r"[\w ()]+", statement):
        raise ValueError(statement)
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text(statement))
