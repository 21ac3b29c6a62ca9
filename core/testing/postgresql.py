"""Databases of a PostgreSQL server, used again and again: making one takes longer than most tests.

What a test left is taken back: rows to those the migration had made, an empty database to no tables.
A database whose tables are no longer as they were, or that cannot be taken back, is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import uuid4

import psycopg
from psycopg import Connection, sql
from sqlalchemy import make_url

from .databases import Databases

_EMPTY = "empty"
_SHAPE = """
    SELECT md5(string_agg(
        concat_ws(' ', c.relname, c.relkind, c.relrowsecurity, a.attname, a.atttypid, a.attnotnull),
        ',' ORDER BY c.relname, a.attnum))
    FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace
"""
_NAMES = "SELECT relname FROM pg_class WHERE relkind = %s AND relnamespace = 'public'::regnamespace"
_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid()"
)


@dataclass
class _Kept:
    """What a migration made: the tables' shape, the rows of those that have any, how far the sequences
    are (last value, and whether it was given out), and idle databases of it."""

    shape: str
    tables: list[str]
    rows: dict[str, bytes]
    sequences: dict[str, tuple[int, bool]]
    idle: list[str] = field(default_factory=list)


class PostgreSQL(Databases):
    """Databases of the server at ``server``, whose user may create some."""

    def __init__(self, server: str) -> None:
        self._server = make_url(server).set(drivername="postgresql")
        self._kept: dict[Hashable, _Kept] = {}
        self._made: list[str] = []

    @contextmanager
    def empty(self) -> Iterator[str]:
        kept = self._kept.setdefault(_EMPTY, _Kept("", [], {}, {}))
        name = kept.idle.pop() if kept.idle else self._create()
        try:
            yield self._url(name)
        finally:
            self._return(name, kept, _without_tables)

    @contextmanager
    def renewed(
        self, key: Hashable, migrate: Callable[[str], None]
    ) -> Iterator[tuple[str, Callable[[], None]]]:
        kept = self._kept.get(key)
        if kept is None or not kept.idle:
            name = self._create()
            migrate(self._url(name))
            with self._connected(name) as connection:
                kept = self._kept.setdefault(key, _snapshot(connection))
        else:
            name = kept.idle.pop()

        def renew() -> None:
            with self._connected(name) as connection:
                connection.execute(_OTHERS)
                if not _as_migrated(connection, kept):
                    raise RuntimeError("a test has changed the tables of a database that others share")

        try:
            yield self._url(name), renew
        finally:
            self._return(name, kept, lambda connection: _as_migrated(connection, kept))

    def close(self) -> None:
        for name in list(self._made):
            self._drop(name)

    def _return(self, name: str, kept: _Kept, restore: Callable[[Connection], bool]) -> None:
        with suppress(psycopg.Error), self._connected(name) as connection:
            connection.execute(_OTHERS)
            if restore(connection):
                kept.idle.append(name)
                return
        self._drop(name)

    def _create(self) -> str:
        name = f"jobstead_test_{uuid4().hex}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        self._made.append(name)
        return name

    def _drop(self, name: str) -> None:
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        self._made.remove(name)

    def _run(self, statement: sql.Composed) -> None:
        with self._connected(self._server.database, autocommit=True) as connection:
            connection.execute(statement)

    def _connected(self, name: str | None, *, autocommit: bool = False) -> Connection:
        url = self._server.set(database=name).render_as_string(hide_password=False)
        return psycopg.connect(url, autocommit=autocommit)

    def _url(self, name: str) -> str:
        there = self._server.set(drivername="postgresql+psycopg", database=name)
        return there.render_as_string(hide_password=False)


def _regclass(name: str) -> sql.Literal:
    return sql.Literal(f'public."{name}"')


def _shape(connection: Connection) -> str:
    found = connection.execute(_SHAPE).fetchone()
    return str(found[0]) if found else ""


def _snapshot(connection: Connection) -> _Kept:
    tables = [row[0] for row in connection.execute(_NAMES, ("r",))]
    rows = {}
    for table in tables:
        statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
        with connection.cursor().copy(statement) as copy:
            told = b"".join(copy)
        if told:
            rows[table] = told
    sequences = {}
    for name in [row[0] for row in connection.execute(_NAMES, ("S",))]:
        statement = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
        for last, given in connection.execute(statement):
            sequences[name] = (last, given)
    return _Kept(_shape(connection), tables, rows, sequences)


def _as_migrated(connection: Connection, kept: _Kept) -> bool:
    """Whether it could be done: not where a test has changed the tables."""
    if _shape(connection) != kept.shape:
        return False
    connection.execute("SET LOCAL lock_timeout = '5s'")
    connection.execute("SET LOCAL session_replication_role = replica")  # no triggers, no foreign keys
    emptied = (sql.SQL("DELETE FROM {}").format(sql.Identifier(table)) for table in kept.tables)
    set_back = (
        sql.SQL("SELECT setval({}::regclass, {}, {})").format(_regclass(name), last, given)
        for name, (last, given) in kept.sequences.items()
    )
    connection.execute(sql.SQL("; ").join([*emptied, *set_back]))
    for table, rows in kept.rows.items():
        statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
        with connection.cursor().copy(statement) as copy:
            copy.write(rows)
    return True


def _without_tables(connection: Connection) -> bool:
    connection.execute("SET LOCAL lock_timeout = '5s'")
    connection.execute(
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO PUBLIC"
    )
    return True
