"""What a transaction costs: one read of an organisation's row by key, on an idle database.

``python -m bench.transaction [--database URL]``: SQLite without, else a database of its own on that server.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from bench.engine import _database
from core.context import within
from core.db import Database, acting_for, begin, db, unscoped, uuid7
from core.orgs.models import Member, Organisation
from core.testing.databases import make_tables
from core.users import User

_BATCH = 200  # transactions timed together


def measure(url: str, rounds: int) -> dict[str, float]:
    """Microseconds a transaction in the quickest of ``rounds`` batches, the least disturbed, by what it does."""
    make_tables(url, [table for table in Member.metadata.sorted_tables if table.name.startswith("core_")])
    database = Database(url)
    here, user = uuid7(), uuid7()
    with begin(on=database), unscoped("a bench makes its organisation"):
        db.insert(Organisation(id=here, name="here", slug="here"))
        db.insert(User(id=user, email="bench@example.org", name="Bench"))
        with acting_for(here):
            member = db.insert(Member(user_id=user, role="owner")).id
    row = sa.select(Member.role).where(Member.id == member)

    def one(scope: UUID | None, statement: Any) -> None:
        with within(scope), begin(write=False, on=database):
            db.session.execute(statement).all()

    def switching() -> None:
        with begin(write=False, on=database):
            with acting_for(here):
                db.session.execute(row).all()
            with unscoped("a bench changes its scope"):
                db.session.execute(row).all()

    acts = {
        "an organisation's row": lambda: one(here, row),
        "the instance's row": lambda: one(None, sa.select(User.name).where(User.id == user)),
        "two rows in two scopes": switching,
    }
    taken: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(rounds):
        for name, act in acts.items():
            began = time.perf_counter()
            for _ in range(_BATCH):
                act()
            taken[name].append((time.perf_counter() - began) / _BATCH * 1e6)
    database.dispose()
    return {name: round(min(figures), 1) for name, figures in taken.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.transaction", description=__doc__)
    parser.add_argument("--database", help="URL of a PostgreSQL server")
    parser.add_argument("--rounds", type=int, default=25)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _database(arguments.database, Path(folder)) as url:
        for name, figure in measure(url, arguments.rounds).items():
            print(f"{name:28}{figure:10.1f} µs")


if __name__ == "__main__":
    main()
