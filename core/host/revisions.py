"""Which revisions there are and which are applied, told without Alembic where that is possible.

Every start asks this of core and of each plugin, and importing Alembic is a tenth of a start.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, column, inspect, select, table

import core
from core.db import tables_of

from .ownership import version_table
from .record import Failure

HOME = Path(core.__file__).parent.parent / "migrations"

_NAMED = re.compile(r"^(revision|down_revision)\b[^=\n]*=[ ]*(.+)$", re.MULTILINE)


@dataclass
class Target:
    """Whose revisions lie where. ``applied`` collects what a run has done."""

    plugin: str
    folder: Path
    plugins: tuple[str, ...] = ()
    """Every plugin on this machine, so that tables can be told apart."""
    applied: list[str] = field(default_factory=list)


def target(plugin: str, folder: Path | None, plugins: Sequence[str] = ()) -> Target:
    """Where the revisions of ``plugin`` lie: ``<folder>/migrations``, core's in ``migrations/versions``."""
    versions = HOME / "versions" if plugin == "core" else (folder or Path()) / "migrations"
    return Target(plugin, versions, tuple(plugins))


def files(goal: Target) -> list[Path]:
    """The revision files."""
    found = goal.folder.glob("*.py") if goal.folder.is_dir() else ()
    return [file for file in found if file.stem != "__init__"]


def current(goal: Target, connection: Connection) -> tuple[str, ...]:
    """The revisions the database is at; empty before the first."""
    name = version_table(goal.plugin)
    if not inspect(connection).has_table(name):
        return ()
    return tuple(connection.scalars(select(table(name, column("version_num")).c.version_num)))


def pending(goal: Target, connection: Connection) -> list[str]:
    """Revisions the database lacks, oldest first.

    Raises ``Failure`` when the database is ahead of the files, or when tables have no migration.
    """
    found = files(goal)
    if not found:
        there = set(inspect(connection).get_table_names())
        without = [table.name for table in tables_of(goal.plugin) if table.name not in there]
        if without:
            remedy = f"write one with: jobstead db revision {goal.plugin}"
            raise Failure(f"table {without[0]} has no migration; {remedy}")
        return []
    applied = current(goal, connection)
    if applied and applied == _head(found):
        return []
    from .migrations import missing

    return missing(goal, applied)


def _head(found: Sequence[Path]) -> tuple[str, ...]:
    """The one revision that no other follows; empty where that takes more than reading plain lines."""
    own: list[str] = []
    before: list[str | None] = []
    for file in found:
        told = dict(_NAMED.findall(file.read_text(encoding="utf-8")))
        try:
            own.append(ast.literal_eval(told["revision"]))
            before.append(ast.literal_eval(told["down_revision"]))
        except (KeyError, ValueError, SyntaxError):
            return ()
    if not all(isinstance(name, str) for name in own) or not all(isinstance(n, str | None) for n in before):
        return ()
    last = [name for name in own if name not in before]
    return (last[0],) if len(last) == 1 and len(set(own)) == len(own) else ()
