"""Bringing the database up to date: core first, then plugins in the order of their requirements.

Each plugin has a version table of its own, so that one that is off, gone or broken holds nobody up.
Needs no running app, and imports nothing of a plugin but its revision files.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alembic.config
from alembic import command
from alembic.script import ScriptDirectory
from alembic.script.revision import RevisionError
from alembic.util import CommandError
from flask import Flask
from sqlalchemy import Connection

from core.config import Config
from core.db import Database

from . import revisions, state
from .environment import enforce, engine_for
from .inventory import BUNDLED, Inventory
from .lock import exclusive
from .record import Failure, reason
from .revisions import Target, current, files, pending, target


class MigrationError(Exception):
    """Core's own migrations failed, and nothing else was tried."""


@dataclass
class Outcome:
    """What became of one plugin (or ``core``): the revisions applied, or why it stopped.

    ``secured``: the statements it took to complete row-level security after it.
    """

    plugin: str
    applied: list[str] = field(default_factory=list)
    failed: str | None = None
    secured: list[str] = field(default_factory=list)


def upgrade(
    source: Flask | Config, *, environ: Mapping[str, str] = os.environ, bundled: Path = BUNDLED
) -> list[Outcome]:
    """Apply what is pending for core and every enabled plugin.

    A plugin whose migration fails keeps what was applied before it, and those that require it are
    passed over; the others go on. Then organisations' tables, whoever's they are, have row-level
    security (PostgreSQL). Raises ``MigrationError`` when core's own fail, ``RowSecurityError``.
    """
    config: Config = source.extensions["jobstead.config"] if isinstance(source, Flask) else source
    engine = engine_for(str(config.database.url))
    with exclusive(engine, config.data_dir):
        inventory = Inventory.of(config, bundled)
        names = tuple(inventory.found)
        with engine.connect() as connection:
            first = _apply(target("core", None, names), connection)
            if first.failed:
                raise MigrationError(f"core's migration failed, and nothing of it is applied: {first.failed}")
            first.secured = enforce(
                connection
            )  # now, because from here on the database is asked as the server asks it
        wanted = inventory.wanted(config, environ, _wishes(config))
        outcomes = {"core": first}
        for name in wanted:
            with engine.connect() as connection:
                outcomes[name] = _upgrade(inventory, name, outcomes, connection)
                if outcomes[name].applied:
                    outcomes[name].secured = enforce(connection)
        return list(outcomes.values())


def _wishes(config: Config) -> state.Wishes:
    database = Database(config.database.url)
    try:
        return state.read(database)
    finally:
        database.dispose()


def _upgrade(
    inventory: Inventory, name: str, outcomes: Mapping[str, Outcome], connection: Connection
) -> Outcome:
    found = inventory.found[name]
    for needed in found.manifest.needs if found.manifest else ():
        if needed in outcomes and outcomes[needed].failed:
            return Outcome(name, failed=f"waits for {needed}, whose migration failed")
    return _apply(target(name, found.folder, tuple(inventory.found)), connection)


def _apply(goal: Target, connection: Connection) -> Outcome:
    try:
        if files(goal):
            command.upgrade(_alembic(goal, connection), "heads")
    except (Exception, SystemExit) as fault:
        connection.rollback()
        return Outcome(goal.plugin, goal.applied, reason(fault, goal.folder))
    return Outcome(goal.plugin, goal.applied)


def missing(goal: Target, applied: Sequence[str]) -> list[str]:
    """Revisions that a database at ``applied`` lacks, oldest first. Raises ``Failure`` when it is ahead."""
    scripts = ScriptDirectory.from_config(_alembic(goal))
    try:
        return [found.revision for found in scripts.iterate_revisions("heads", tuple(applied) or "base")][
            ::-1
        ]
    except (CommandError, RevisionError) as fault:
        raise Failure(f"the database is at revision {', '.join(applied)}, which these files lack") from fault


def status(config: Config) -> list[dict[str, Any]]:
    """For core and every plugin here: revisions applied and pending, or what is wrong with them."""
    inventory = Inventory.of(config)
    engine = engine_for(str(config.database.url))
    rows = []
    with engine.connect() as connection:
        for name, found in {"core": None, **inventory.found}.items():
            goal = target(name, found.folder if found else None)
            row: dict[str, Any] = {"plugin": name, "applied": [], "pending": [], "fault": None}
            try:
                row["applied"] = list(current(goal, connection))
                row["pending"] = pending(goal, connection)
            except (Exception, SystemExit) as fault:
                row["fault"] = reason(fault, goal.folder)
            rows.append(row)
    return rows


def revision(goal: Target, config: Config, message: str) -> str | None:
    """Write the next revision of ``goal``'s tables; its path, or ``None`` when nothing has changed.

    Raises ``CommandError`` when the database is not up to date.
    """
    goal.folder.mkdir(parents=True, exist_ok=True)
    number = 1 + len(files(goal))
    engine = engine_for(str(config.database.url))
    with exclusive(engine, config.data_dir), engine.connect() as connection:
        written = command.revision(
            _alembic(goal, connection),
            message,
            autogenerate=True,
            rev_id=f"{number:04d}",
            version_path=str(goal.folder),
            process_revision_directives=_only_changes,
        )
    scripts = written if isinstance(written, list) else [written]
    if not scripts or scripts[0] is None:
        return None
    path = Path(scripts[0].path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "# ### " not in line), encoding="utf-8")
    return str(path)


def _only_changes(_context: Any, _revision: Any, directives: list[Any]) -> None:
    if directives[0].upgrade_ops.is_empty():
        directives.clear()


def _alembic(goal: Target, connection: Connection | None = None) -> alembic.config.Config:
    settings = alembic.config.Config(cmd_opts=Namespace(quiet=True))  # what it did is ours to say
    for option, value in (
        ("script_location", str(revisions.HOME)),
        ("version_locations", str(goal.folder)),
        ("path_separator", "newline"),
        ("file_template", "%(rev)s_%(slug)s"),
    ):
        settings.set_main_option(option, value.replace("%", "%%"))
    settings.attributes.update(target=goal, connection=connection)
    return settings
