"""The database of one app: engine, pragmas, time limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from flask import current_app
from sqlalchemy import URL, Engine, create_engine, event, make_url

from . import guard, roles

_BUSY_MS = 5_000
_STATEMENT_MS = 5_000


class Database:
    """One engine and how to begin a transaction on it.

    ``url`` is an SQLAlchemy URL of SQLite or PostgreSQL; ``statement_timeout`` in milliseconds
    bounds each statement on PostgreSQL (0: none, for migrations).
    """

    def __init__(self, url: str | URL, *, pool_size: int = 8, statement_timeout: int = _STATEMENT_MS) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite":
            self.engine = _sqlite(self.url)
        elif self.dialect == "postgresql":
            self.engine = _postgresql(self.url, pool_size, statement_timeout)
        else:
            raise ValueError(f"{self.dialect} is not supported; use sqlite:/// or postgresql+psycopg://")
        guard.install(self.engine)
        if self.dialect == "postgresql":
            roles.install(self.engine)

    def dispose(self) -> None:
        """Close every pooled connection; call it in a child right after a fork too."""
        self.engine.dispose()


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url, hide_parameters=True, connect_args={"timeout": _BUSY_MS / 1000, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",  # a 2xx is durable
            "foreign_keys=ON",
            f"busy_timeout={_BUSY_MS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    def begin(connection: Any) -> None:
        # A deferred transaction that turns to writing may find its snapshot stale and fail at
        # once, whatever the busy timeout; one that will write takes the lock first.
        write = connection.info.get("write", True)
        connection.dbapi_connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")

    engine.dialect.do_begin = begin  # type: ignore[method-assign, assignment]
    return engine


def _postgresql(url: URL, pool_size: int, statement_timeout: int) -> Engine:
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=2,
        pool_pre_ping=True,
        hide_parameters=True,  # what people typed stays out of error texts and logs
        connect_args={
            "autocommit": True,  # we say BEGIN ourselves, with the role in the same message
            "connect_timeout": 2,
            "options": f"-c timezone=UTC -c statement_timeout={statement_timeout}",
        },
    )


def database() -> Database:
    """The database of the running app."""
    return cast(Database, current_app.extensions["jobstead.db"])
