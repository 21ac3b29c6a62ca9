"""Seeing whether a request changed anything at all in the database, whoever's it is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, MetaData, NullPool, create_engine, text

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Change:
    """One row that is new (``before`` is ``None``), gone (``after`` is) or different."""

    table: str
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def words(self) -> str:
        """Everything in the row, before and after, as one text."""
        return f"{self.before} {self.after}"

    def __str__(self) -> str:
        if self.before is None or self.after is None:
            return f"{'new' if self.before is None else 'gone'} {self.table} {self.before or self.after}"
        differing = {k: (v, self.after[k]) for k, v in self.before.items() if self.after[k] != v}
        return f"changed {self.table} {self.key} {differing}"


class Watch:
    """Every row of a database, compared with how it was at ``mark``.

    A counter that the database keeps of its own tells cheaply that nothing was committed.
    """

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._connection: Connection = self._engine.connect()
        self._tables = MetaData()
        self._tables.reflect(self._connection)
        self._sqlite = self._engine.dialect.name == "sqlite"
        self.mark()

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def rows(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """All rows by table and primary key."""
        found: dict[tuple[str, str], Mapping[str, Any]] = {}
        for table in self._tables.tables.values():
            keys = [column.name for column in table.primary_key] or [column.name for column in table.columns]
            for row in self._connection.execute(table.select()).mappings():
                found[table.name, "/".join(str(row[key]) for key in keys)] = dict(row)
        return found

    def mark(self) -> None:
        """Compare with the present from here on."""
        self._at = self._counter()
        self._rows = self.rows()

    def changes(self, *, ignoring: Collection[str] = ()) -> list[Change]:
        """What differs since ``mark``, tables in ``ignoring`` left out; then marks anew."""
        now = self._counter()
        if now == self._at:
            return []
        before, after = self._rows, self.rows()
        self._at, self._rows = now, after
        return [
            Change(table, key, before.get((table, key)), after.get((table, key)))
            for table, key in sorted({*before, *after})
            if table not in ignoring and before.get((table, key)) != after.get((table, key))
        ]

    def _counter(self) -> Any:
        asked = (
            "PRAGMA data_version" if self._sqlite else "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
        )
        return self._connection.execute(text(asked)).scalar()
