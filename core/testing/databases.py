"""Databases for tests: empty ones, and copies of migrated ones, which are quicker than migrating."""

from __future__ import annotations

import os
import re
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, make_url, text


class Databases(ABC):
    """A source of databases. ``migrated`` runs ``migrate(url)`` once for each key and copies the result."""

    def __init__(self) -> None:
        self._templates: dict[Hashable, str] = {}

    @staticmethod
    @contextmanager
    def of_environment(folder: Path) -> Iterator[Databases]:
        """On the PostgreSQL server of ``JOBSTEAD_TEST_DATABASE_URL``, else SQLite files in ``folder``."""
        server = os.environ.get("JOBSTEAD_TEST_DATABASE_URL")
        source = _PostgreSQL(server) if server else _SQLite(folder)
        try:
            yield source
        finally:
            for name in source._templates.values():
                source.drop(name)

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of an empty database, for the duration."""
        name = self.create()
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    @contextmanager
    def migrated(self, key: Hashable, migrate: Callable[[str], None]) -> Iterator[str]:
        """The URL of a copy of what ``migrate`` makes of an empty database."""
        template = self._templates.get(key)
        if template is None:
            template = self.create()
            try:
                migrate(self.url(template))
            except BaseException:
                self.drop(template)  # half of what it should be: nobody gets a copy
                raise
            self._templates[key] = template
        name = self.create(template)
        try:
            yield self.url(name)
        finally:
            self.drop(name)

    @abstractmethod
    def create(self, template: str | None = None) -> str:
        """Make a database, a copy of ``template`` where given; returns its name."""

    @abstractmethod
    def drop(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""

    @abstractmethod
    def url(self, name: str) -> str:
        """How to reach it."""


class _SQLite(Databases):
    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def create(self, template: str | None = None) -> str:
        name = f"{uuid4().hex}.sqlite3"
        if template is not None:
            shutil.copyfile(self._folder / template, self._folder / name)
        return name

    def drop(self, name: str) -> None:
        for path in self._folder.glob(f"{name}*"):
            path.unlink()

    def url(self, name: str) -> str:
        return f"sqlite:///{self._folder / name}"


class _PostgreSQL(Databases):
    def __init__(self, server: str) -> None:
        super().__init__()
        self._server = make_url(server).set(drivername="postgresql+psycopg")

    def create(self, template: str | None = None) -> str:
        name = f"jobstead_test_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def drop(self, name: str) -> None:
        self._run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        if not re.fullmatch(r"[\w ()]+", statement):
            raise ValueError(statement)
        engine = create_engine(self._server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(statement))
