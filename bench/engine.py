"""Events a second through relay and three handlers, in a real worker process: ``python -m bench.engine``.

Durable settings, organisations scoped, each handler inserts one row of its organisation. Without
``--database`` an SQLite file is measured, and PostgreSQL where ``JOBSTEAD_TEST_DATABASE_URL`` names
a server. Nothing here asserts a time: read the ratios, not the absolute figures.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Mapped, mapped_column

import core.orgs.models
from core import context, engine, log
from core.config import load
from core.context import System
from core.db import Database, TenantMixin, begin, db, metadata, model_base, uuid7
from core.engine import Delivery, Event, worker
from core.engine.models import DeliveryRow, EventRow, JobRow
from core.redis import connect
from core.switch import Switch
from core.testing.databases import make_tables

ROOT = Path(__file__).parents[1]
ORGANISATIONS = 50

Base = model_base("bench")


class Seen(TenantMixin, Base):
    """What a handler wrote: the event's number and when."""

    __tablename__ = "bench_seen"
    handler: Mapped[str] = mapped_column(sa.String(10))
    number: Mapped[int] = mapped_column(sa.Integer)
    at: Mapped[float] = mapped_column(sa.Float)


@dataclass(frozen=True)
class Happened(Event, type="bench.happened"):
    number: int
    title: str
    company: str


def _handler(name: str) -> Callable[[Happened, Delivery], None]:
    def handle(event: Happened, delivery: Delivery) -> None:
        db.session.add(Seen(handler=name, number=event.number, at=time.time()))

    handle.__name__ = name
    return handle


def started(at: float) -> float:
    """A job that tells how long it waited, in seconds."""
    return time.time() - at


def make_app(database: str, redis: str | None, folder: Path) -> Flask:
    """The floors that the engine stands on, and three handlers."""
    file = folder / "plugins.toml"
    file.touch()
    environ = {"DATABASE_URL": database, "JOBSTEAD_DATA": str(folder), "JOBSTEAD_REDIS__MODE": "direct"}
    if redis is not None:
        environ |= {"REDIS_URL": redis, "JOBSTEAD_REDIS__MODE": "auto"}
    config = load(file, environ)
    log.init(config.log)
    app = Flask("bench", root_path=str(folder))
    app.extensions |= {
        "jobstead.config": config,
        "jobstead.db": Database(config.database.url),
        "jobstead.redis": connect(config),
        "jobstead.switch": Switch(defaults={"bench": True}),
    }
    engine.init_app(app, config)
    engine.register_event(app, "bench", Happened)
    for name in ("one", "two", "three"):
        engine.register_handler(app, "bench", "bench.happened", _handler(name))
    engine.register_job(app, "bench", "started", started)
    return app


class Bench:
    """One database, one Redis or none, one worker process."""

    def __init__(self, database: str, redis: str | None, folder: Path) -> None:
        self._told = {"database": database, "redis": redis, "folder": str(folder)}
        self.app = make_app(database, redis, folder)
        self.organisations = [uuid7() for _ in range(ORGANISATIONS)]
        self._prepare()

    def _prepare(self) -> None:
        wanted = [
            table
            for table in metadata.sorted_tables
            if table.name.startswith(
                ("core_event", "core_delivery", "core_l", "core_q", "core_job", "core_s", "bench_")
            )
            or table.name in ("core_user", "core_organisation")
        ]
        table = core.orgs.models.Organisation.__table__
        make_tables(self._told["database"], wanted)
        with begin(on=self.app.extensions["jobstead.db"]) as unit:
            for n, identifier in enumerate(self.organisations):
                values = {"id": identifier, "name": f"o{n}", "slug": f"o{n}", "kind": "team"}
                unit.connection.execute(sa.insert(table).values(values))

    def emit(self, number: int) -> None:
        """One event in a transaction of its own."""
        with self._acting(self.organisations[number % ORGANISATIONS]):
            event = Happened(number, "Software engineer", "Example GmbH")
            engine.emit(event, order_key=f"k{number % 7}")

    def emit_many(self, count: int) -> None:
        """``count`` events, a hundred to a transaction."""
        for start in range(0, count, 100):
            with self._acting(self.organisations[start // 100 % ORGANISATIONS]):
                for number in range(start, min(start + 100, count)):
                    engine.emit(
                        Happened(number, "Software engineer", "Example GmbH"), order_key=f"k{number % 7}"
                    )

    def count(self, statement: sa.Select[Any]) -> int:
        with self.app.app_context(), context.within(System("count")), begin(write=False) as unit:
            return int(unit.connection.scalar(statement) or 0)

    def left(self) -> int:
        """What is not handled yet."""
        pending = sa.select(sa.func.count()).select_from(DeliveryRow).where(DeliveryRow.status == "pending")
        unheard = sa.select(sa.func.count()).select_from(EventRow).where(EventRow.pending.is_(True))
        return self.count(unheard) + self.count(pending)

    @contextmanager
    def working(self) -> Iterator[None]:
        """A worker process for the duration."""
        environ = {**os.environ, "JOBSTEAD_BENCH_WORKER": json.dumps(self._told)}
        command = [sys.executable, "-m", "bench.engine"]
        with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.send_signal(signal.SIGTERM)

    def drained(self, count: int) -> dict[str, float]:
        """Fill the outbox, start a worker, and time it from the first to the last handler."""
        began = time.perf_counter()
        self.emit_many(count)
        emitted = time.perf_counter() - began
        with self.working():
            self._until(lambda: self.left() == 0)
        times = sa.select(sa.func.max(Seen.at) - sa.func.min(Seen.at))
        with self.app.app_context(), context.within(System("time")), begin(write=False) as unit:
            seconds = float(unit.connection.scalar(times) or 0)
        return {"events_per_s": count / seconds, "emitted_per_s_by_100": count / emitted}

    def idle(self, count: int) -> dict[str, float]:
        """One event at a time into an idle instance: from commit to the third handler, in ms."""
        waited, commits, starts = [], [], []
        with self.working():
            self._until_ready()
            for number in range(count):
                time.sleep(0.02)
                before = time.perf_counter()
                self.emit(1_000_000 + number)
                after, done = time.perf_counter(), time.time()
                commits.append((after - before) * 1000)
                of = sa.select(sa.func.count()).select_from(Seen).where(Seen.number == 1_000_000 + number)
                self._until(lambda of=of: self.count(of) == 3, every=0.002)
                last = sa.select(sa.func.max(Seen.at)).where(Seen.number == 1_000_000 + number)
                with self.app.app_context(), context.within(System("time")), begin(write=False) as unit:
                    waited.append((float(unit.connection.scalar(last) or 0) - done) * 1000)
            for _ in range(count):
                time.sleep(0.02)
                starts.append(self._job() * 1000)
        return {
            "idle_to_third_handler_p50_ms": statistics.median(waited),
            "idle_to_third_handler_p99_ms": _p99(waited),
            "commit_with_event_p50_ms": statistics.median(commits),
            "job_start_p50_ms": statistics.median(starts),
        }

    def bare(self, count: int) -> float:
        """p50 of a commit of one row without an event, in ms."""
        spent = []
        for number in range(count):
            before = time.perf_counter()
            with self._acting(self.organisations[0]):
                db.insert(Seen(handler="bare", number=-number, at=0.0))
            spent.append((time.perf_counter() - before) * 1000)
        return statistics.median(spent)

    def with_event(self, count: int) -> float:
        """p50 of the same commit with an event, in ms."""
        spent = []
        for number in range(count):
            before = time.perf_counter()
            with self._acting(self.organisations[0]):
                db.insert(Seen(handler="event", number=-number, at=0.0))
                engine.emit(Happened(-number, "Software engineer", "Example GmbH"))
            spent.append((time.perf_counter() - before) * 1000)
        return statistics.median(spent)

    def _job(self) -> float:
        with self.app.app_context(), begin():
            identifier = engine.enqueue("bench.started", {"at": time.time()})
        done = (
            sa.select(sa.func.count())
            .select_from(JobRow)
            .where(JobRow.id == identifier, JobRow.status == "done")
        )
        self._until(lambda: self.count(done) == 1, every=0.002)
        with self.app.app_context(), begin(write=False) as unit:
            return float(unit.connection.scalar(sa.select(JobRow.result).where(JobRow.id == identifier)))

    def _until_ready(self) -> None:
        self.emit(999_999)
        self._until(lambda: self.left() == 0)

    @staticmethod
    def _until(condition: Callable[[], bool], *, every: float = 0.1, patience: float = 300) -> None:
        until = time.monotonic() + patience
        while not condition():
            if time.monotonic() > until:
                raise TimeoutError("the worker did not get done")
            time.sleep(every)

    @contextmanager
    def _acting(self, organisation: UUID) -> Iterator[None]:
        with self.app.app_context(), context.within(organisation), begin():
            yield


def _p99(values: list[float]) -> float:
    return sorted(values)[max(0, round(len(values) * 0.99) - 1)]


@contextmanager
def _redis(folder: Path) -> Iterator[str | None]:
    """The Redis of ``JOBSTEAD_TEST_REDIS_URL``, else a server of our own, else none."""
    given = os.environ.get("JOBSTEAD_TEST_REDIS_URL")
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if given or binary is None:
        yield given
        return
    socket = folder / "r.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL) as server:
        while not socket.exists():
            time.sleep(0.02)
        try:
            yield f"unix://{socket}"
        finally:
            server.terminate()


@contextmanager
def _database(server: str | None, folder: Path) -> Iterator[str]:
    if server is None:
        yield f"sqlite:///{folder / 'bench.sqlite3'}"
        return
    url, name = sa.make_url(server).set(drivername="postgresql+psycopg"), f"jobstead_bench_{uuid4().hex}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def measure(server: str | None, events: int, rounds: int) -> dict[str, float]:
    """All figures of one database: SQLite for ``None``, else on that PostgreSQL server."""
    with tempfile.TemporaryDirectory(prefix="jb") as name:
        folder = Path(name)
        with _redis(folder) as redis, _database(server, folder) as database:
            bench = Bench(database, redis, folder)
            figures = {"redis": float(redis is not None)}
            bare, event = bench.bare(rounds), bench.with_event(rounds)
            with bench.working():
                bench._until(lambda: bench.left() == 0)
            with bench.app.app_context(), context.within(System("afresh")), begin() as unit:
                unit.connection.execute(sa.delete(Seen.__table__))
            figures |= {
                "commit_bare_p50_ms": bare,
                "commit_event_p50_ms": event,
                "commit_ratio": event / bare,
            }
            figures |= bench.drained(events)
            figures |= bench.idle(rounds)
            bench.app.extensions["jobstead.db"].dispose()
            return {name: round(value, 2) for name, value in figures.items()}


def run(events: int = 3000, rounds: int = 100, server: str | None = None) -> dict[str, dict[str, float]]:
    """Figures by database."""
    server = server or os.environ.get("JOBSTEAD_TEST_DATABASE_URL")
    found = {"engine on SQLite": measure(None, events, rounds)}
    if server:
        found["engine on PostgreSQL"] = measure(server, events, rounds)
    return found


def main() -> int:
    """Print the figures, as a table or with ``--json``."""
    if "JOBSTEAD_BENCH_WORKER" in os.environ:
        told = json.loads(os.environ["JOBSTEAD_BENCH_WORKER"])
        return worker.main(make_app(told["database"], told["redis"], Path(told["folder"])))
    parser = argparse.ArgumentParser(prog="python -m bench.engine", description=__doc__)
    parser.add_argument("--events", type=int, default=3000, help="how many events are drained (3000)")
    parser.add_argument("--rounds", type=int, default=100, help="how often single things are measured (100)")
    parser.add_argument("--database", help="URL of a PostgreSQL server to measure too")
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    arguments = parser.parse_args()
    found = run(arguments.events, arguments.rounds, arguments.database)
    if arguments.json:
        print(json.dumps(found))
        return 0
    print(f"{os.cpu_count()} CPUs, {platform.python_implementation()} {platform.python_version()}")
    print(f"three handlers per event, {ORGANISATIONS} organisations, durable settings, one worker")
    names = next(iter(found.values()))
    print(f"{'':32}" + "".join(f"{database:>24}" for database in found))
    for name in names:
        print(f"{name:32}" + "".join(f"{figures[name]:24,.2f}" for figures in found.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
