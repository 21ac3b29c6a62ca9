"""Whose table is this? Asked before a migration is written, so that nobody drops another's rows."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, inspect

from core import db

VERSION_TABLE = "alembic_version"


def version_table(plugin: str) -> str:
    """Where the applied revisions of ``plugin`` are kept."""
    return VERSION_TABLE if plugin == "core" else f"{VERSION_TABLE}_{plugin}"


class Ownership:
    """Tables by plugin: declared ones by whose models declare them, others by the longest name.

    A plugin that is gone still owns its tables: it is known by the version table it left behind.
    """

    def __init__(self, plugins: Iterable[str], existing: Iterable[str] = ()) -> None:
        prefix = f"{VERSION_TABLE}_"
        left = {name.removeprefix(prefix) for name in existing if name.startswith(prefix)}
        self.plugins = {"core", *plugins, *left}
        self.declared = {table.name: plugin for plugin in self.plugins for table in db.tables_of(plugin)}

    @classmethod
    def on(cls, connection: Connection, plugins: Iterable[str]) -> Ownership:
        """With what ``connection`` tells of plugins that are gone."""
        return cls(plugins, inspect(connection).get_table_names())

    def owner(self, table: str) -> str | None:
        """The plugin ``table`` belongs to (``core`` among them), or ``None`` for a stranger's."""
        if table in self.declared:
            return self.declared[table]
        fitting = [plugin for plugin in self.plugins if table.startswith(f"{plugin}_")]
        return max(fitting, key=len, default=None)
