"""What a transaction costs on PostgreSQL with its role and without: ``python -m bench.transaction``.

Each figure is the quickest of many small batches, taken in turns: the least disturbed one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bench.engine import _database
from core.context import within
from core.db import Database, acting_for, begin, db, guard, unscoped, uuid7
from core.orgs.models import Member, Organisation
from core.testing.databases import make_tables
from core.users import User

_BATCH = 5  # transactions timed together


class _WithoutRoles(Database):
    """As if transactions stayed with the login role: BEGIN is the driver's, and nothing is set."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.engine = sa.create_engine(
            self.url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
        )
        guard.install(self.engine)


def _acts(on: Database, here: UUID, row: Any, user: Any) -> dict[str, Callable[[], None]]:
    def one(scope: UUID | None, statement: Any) -> None:
        with within(scope), begin(write=False, on=on):
            db.session.execute(statement).all()

    def switching() -> None:
        with begin(write=False, on=on):
            with acting_for(here):
                db.session.execute(row).all()
            with unscoped("a bench changes its scope"):
                db.session.execute(row).all()

    return {
        "an organisation's row by key": lambda: one(here, row),
        "an instance's row by key": lambda: one(None, user),
        "a row in each of two scopes": switching,
    }


def measure(url: str, rounds: int) -> dict[str, list[float]]:
    """Microseconds a transaction without roles and with them, by what it does."""
    make_tables(url, [table for table in Member.metadata.sorted_tables if table.name.startswith("core_")])
    databases = [_WithoutRoles(url), Database(url)]
    here, person = uuid7(), uuid7()
    with begin(on=databases[1]), unscoped("a bench makes its organisation"):
        db.insert(Organisation(id=here, name="here", slug="here"))
        db.insert(User(id=person, email="bench@example.org", name="Bench"))
        with acting_for(here):
            member = db.insert(Member(user_id=person, role="owner")).id
    row = sa.select(Member.role).where(Member.id == member)
    user = sa.select(User.name).where(User.id == person)
    acts = [_acts(database, here, row, user) for database in databases]
    found = {name: [float("inf")] * len(databases) for name in acts[0]}
    for _ in range(rounds):
        for name, quickest in found.items():
            for index in range(len(databases)):
                act = acts[index][name]
                began = time.perf_counter()
                for _ in range(_BATCH):
                    act()
                quickest[index] = min(quickest[index], (time.perf_counter() - began) / _BATCH * 1e6)
    for database in databases:
        database.dispose()
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.transaction", description=__doc__)
    parser.add_argument("--database", default=os.environ.get("JOBSTEAD_TEST_DATABASE_URL"))
    parser.add_argument("--rounds", type=int, default=400)
    arguments = parser.parse_args()
    if not arguments.database:
        parser.error("--database names a PostgreSQL server")
    with tempfile.TemporaryDirectory() as folder, _database(arguments.database, Path(folder)) as url:
        print(f"{'µs a transaction':32}{'without':>10}{'with roles':>12}{'ratio':>8}")
        for name, (without, roles) in measure(url, arguments.rounds).items():
            print(f"{name:32}{without:10.0f}{roles:12.0f}{roles / without:8.2f}")


if __name__ == "__main__":
    main()
