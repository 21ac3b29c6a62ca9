"""Databases for tests: empty ones, and such as a migration left them, without migrating again."""

from __future__ import annotations

import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Table

from core.db import metadata, row_security
from core.host.environment import engine_for


class Databases(ABC):
    """A source of databases. ``migrated`` runs ``migrate(url)`` once for each key and copies the result."""

    @staticmethod
    @contextmanager
    def of_environment(folder: Path) -> Iterator[Databases]:
        """On the PostgreSQL server of ``JOBSTEAD_TEST_DATABASE_URL``, else SQLite files in ``folder``."""
        from .postgresql import PostgreSQL

        server = os.environ.get("JOBSTEAD_TEST_DATABASE_URL")
        source: Databases = PostgreSQL(server) if server else _SQLite(folder)
        try:
            yield source
        finally:
            source.close()

    @abstractmethod
    def empty(self) -> AbstractContextManager[str]:
        """The URL of an empty database, for the duration."""

    @contextmanager
    def migrated(self, key: Hashable, migrate: Callable[[str], None]) -> Iterator[str]:
        """The URL of what ``migrate`` makes of an empty database, for the duration."""
        with self.renewed(key, migrate) as (url, _):
            yield url

    @abstractmethod
    def renewed(
        self, key: Hashable, migrate: Callable[[str], None]
    ) -> AbstractContextManager[tuple[str, Callable[[], None]]]:
        """The same with a function that brings it back to that state; whoever is connected leaves before."""

    def close(self) -> None:  # noqa: B027  a folder of files goes by itself
        """Remove what was kept for the next one."""


class _SQLite(Databases):
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[Hashable, Path] = {}

    @contextmanager
    def empty(self) -> Iterator[str]:
        with self._file() as path:
            yield f"sqlite:///{path}"

    @contextmanager
    def renewed(
        self, key: Hashable, migrate: Callable[[str], None]
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        template = self._templates.get(key)
        if template is None:
            template = self._folder / f"{uuid4().hex}.sqlite3"
            migrate(f"sqlite:///{template}")
            self._templates[key] = template
        with self._file() as path:

            def renew() -> None:
                for left in self._folder.glob(f"{path.name}-*"):
                    left.unlink()
                shutil.copyfile(template, path)

            renew()
            yield f"sqlite:///{path}", renew

    @contextmanager
    def _file(self) -> Iterator[Path]:
        path = self._folder / f"{uuid4().hex}.sqlite3"
        try:
            yield path
        finally:
            for left in self._folder.glob(f"{path.name}*"):
                left.unlink()


def make_tables(url: str, tables: Sequence[Table] | None = None) -> None:
    """Tables (all that are known unless given) without their migrations, row-level security included."""
    with engine_for(url).begin() as connection:
        metadata.create_all(connection, tables=tables)
        row_security.enforce(connection)
