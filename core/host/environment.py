"""What ``migrations/env.py`` runs: revisions of core and plugins, each with its own version table."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.util import CommandError
from flask import current_app
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, make_url
from sqlalchemy.pool import NullPool

from core import db

from .lock import exclusive
from .ownership import Ownership, version_table
from .revisions import Target

logging.getLogger("alembic").setLevel(logging.WARNING)  # each look at a version table is no news

_LOCK_TIMEOUT = "5s"  # a statement that waits longer for somebody's lock fails, and can be run again


def engine_for(url: str) -> Engine:
    """An engine for migrations: no pool, no time limit for a statement, no guard on organisations' rows."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, poolclass=NullPool, connect_args={"timeout": 30})
        # Rebuilding a table drops the old one, which with foreign keys on would empty those that
        # point at it; they are checked before each commit instead.
        event.listen(engine, "connect", lambda connection, _: _begin_by_hand(connection))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine
    options = f"-c timezone=UTC -c lock_timeout={_LOCK_TIMEOUT}"
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        poolclass=NullPool,
        connect_args={"connect_timeout": 5, "options": options},
    )


def _begin_by_hand(connection: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=OFF")


def run() -> None:
    """Called by ``migrations/env.py``."""
    if context.is_offline_mode():
        raise CommandError("writing migrations as SQL is not supported; run them against the database")
    given = context.config.attributes
    if "target" in given:
        _run(given["target"], given["connection"])
        return
    with _of_the_app() as (target, connection):  # flask db ...
        _run(target, connection)


def _run(target: Target, connection: Connection) -> None:
    ownership = Ownership.on(connection, target.plugins)
    connection.rollback()  # looking has begun a transaction; each migration shall have its own

    def of_target(name: str | None, kind: str, _parents: Any) -> bool:
        return kind != "table" or (name is not None and ownership.owner(name) == target.plugin)

    def declared_by_target(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return kind != "table" or (name is not None and ownership.owner(name) == target.plugin)

    context.configure(
        connection=connection,
        target_metadata=db.metadata,
        version_table=version_table(target.plugin),
        include_name=of_target,
        include_object=declared_by_target,
        render_item=_render,
        render_as_batch=True,
        compare_type=True,
        transactional_ddl=True,
        transaction_per_migration=True,
        on_version_apply=lambda ctx, step, **_: _applied(target, ctx.connection, step),
    )
    with context.begin_transaction():
        context.run_migrations()


def _applied(target: Target, connection: Connection | None, step: Any) -> None:
    if connection is not None and connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise CommandError(f"rows of {broken[0]} would point at rows of {broken[2]} that are not there")
    target.applied.append(f"{'' if step.is_upgrade else '-'}{', '.join(step.up_revision_ids)}")


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write our column types as plain SQLAlchemy ones: a migration must outlive the code it came from."""
    if kind == "type" and isinstance(item, db.UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, db.Json):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return 'sa.JSON().with_variant(postgresql.JSONB(), "postgresql")'
    return False


@contextmanager
def _of_the_app() -> Iterator[tuple[Target, Connection]]:
    """Core's revisions on the database of the running app."""
    config = current_app.extensions["jobstead.config"]
    plugins = tuple(current_app.extensions["jobstead.host"].records)
    engine = engine_for(config.database.url)
    with exclusive(engine, config.data_dir), engine.connect() as connection:
        yield Target("core", Path(), plugins), connection
        enforce(connection)


def enforce(connection: Connection) -> list[str]:
    """Complete row-level security, in a transaction of its own; what it took. Raises ``RowSecurityError``."""
    connection.rollback()  # reading what is applied has begun one
    if connection.dialect.name != "postgresql":
        return []
    with connection.begin():
        return db.row_security.enforce(connection)


@dataclass(frozen=True)
class ForFlaskMigrate:
    """The part of Flask-SQLAlchemy's interface that ``flask db`` asks for."""

    metadata: MetaData = db.metadata
