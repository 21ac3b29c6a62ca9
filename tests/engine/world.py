"""An app with the engine and the toy plugin, two organisations, and workers as real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

import core.orgs.models
from core import context, engine
from core.clock import utcnow
from core.config import load
from core.context import System
from core.db import Database, begin, metadata, uuid7
from core.engine import Counts, Timing
from core.engine.models import DeliveryRow, JobRow, LaneRow, LeaseRow
from core.engine.moment import db_now
from core.host.environment import engine_for
from core.redis import connect
from core.switch import Switch
from core.testing.databases import make_tables
from tests.engine import toy

QUICK = Timing(lease=1.5, leadership=1.0, sweep=0.2, grace=1.0)
PATIENCE = 150.0
ROOT = Path(__file__).parents[2]


def make_app(database: str, redis: str | None, folder: Path, timing: Timing = QUICK) -> Flask:
    """What ``create_app`` does, of floors 0 and 2 alone."""
    environ = {"DATABASE_URL": database, "JOBSTEAD_DATA": str(folder), "JOBSTEAD_REDIS__MODE": "direct"}
    if redis is not None:
        environ |= {"REDIS_URL": redis, "JOBSTEAD_REDIS__MODE": "auto"}
    config = load(_empty_file(folder), environ)
    app = Flask("toy")
    app.config["TOY_FILE"] = str(folder / "outside.txt")
    app.extensions.update(
        {
            "jobstead.config": config,
            "jobstead.db": Database(config.database.url),
            "jobstead.redis": connect(config),
            "jobstead.switch": Switch(defaults={"toy": True}),
        }
    )
    engine.init_app(app, config, timing=timing)
    toy.register(app)
    return app


def _empty_file(folder: Path) -> Path:
    file = folder / "plugins.toml"
    file.touch()
    return file


HERE, THERE = uuid7(), uuid7()


def lay_out(url: str) -> None:
    """The engine's tables, the toy's and two organisations, in an empty database."""
    names = ("core_user", "core_organisation")
    ours = (
        "core_event",
        "core_delivery",
        "core_lane",
        "core_lease",
        "core_queue",
        "core_job",
        "core_schedule",
    )
    make_tables(
        url, [t for t in metadata.sorted_tables if t.name in names or t.name.startswith((*ours, "toy_"))]
    )
    database = Database(url)
    with begin(on=database) as unit:
        table = core.orgs.models.Organisation.__table__
        for name, identifier in (("here", HERE), ("there", THERE)):
            values = {"id": identifier, "name": name, "slug": name, "kind": "team"}
            unit.connection.execute(sa.insert(table).values(values))
    database.dispose()


@dataclass
class World:
    """Two organisations in one database, always two."""

    app: Flask
    database: str
    redis: str | None
    folder: Path
    here: UUID = HERE
    there: UUID = THERE
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def engine(self) -> engine.Engine:
        return self.app.extensions["jobstead.engine"]

    @contextmanager
    def acting(self, organisation: UUID | None) -> Iterator[None]:
        """A unit of work as a request has one."""
        with self.app.app_context(), context.within(organisation), begin():
            yield

    def ping(
        self, number: int, organisation: UUID | None = None, *, key: str | None = None, act: str = "ok"
    ) -> UUID:
        with self.acting(organisation or self.here):
            return engine.emit(toy.Pinged(number, key or "", act), order_key=key)

    def drain(self) -> Counts:
        """Everything that is due, in this process."""
        with self.app.app_context():
            return engine.drain()

    def rows(self, statement: sa.Select[Any]) -> list[Any]:
        """Read whatever the test wants to see, across organisations."""
        with self.app.app_context(), context.within(System("a test looks")), begin(write=False) as unit:
            return list(unit.connection.execute(statement).all())

    def run(self, statement: str) -> None:
        """Change something behind everybody's back."""
        with self.app.app_context(), context.within(System("a test meddles")), begin() as unit:
            unit.connection.exec_driver_sql(statement)

    def alter(self, statement: str) -> None:
        """Change the tables themselves, which their owner alone may."""
        with engine_for(self.database).begin() as connection:
            connection.exec_driver_sql(statement)

    def effects(self, handler: str, organisation: UUID | None = None) -> list[int]:
        """The numbers a handler recorded, in the order it did."""
        table = toy.Effect.__table__
        found = sa.select(table.c.number).where(table.c.handler == handler).order_by(table.c.sequence)
        if organisation is not None:
            found = found.where(table.c.organisation_id == organisation)
        return [row.number for row in self.rows(found)]

    def deliveries(self, handler: str) -> list[Any]:
        """A handler's deliveries in the order of their events."""
        of = DeliveryRow.handler == f"toy.{handler}"
        return self.rows(sa.select(DeliveryRow.__table__).where(of).order_by(DeliveryRow.event_seq))

    def statuses(self, handler: str) -> list[str]:
        return [row.status for row in self.deliveries(handler)]

    def jobs(self) -> list[Any]:
        return self.rows(sa.select(JobRow.__table__).order_by(JobRow.created_at))

    def outside(self) -> list[list[str]]:
        """The external handler's lines: delivery id, attempt, number, organisation."""
        file = Path(self.app.config["TOY_FILE"])
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    def hurry(self) -> None:
        """Make everything that waits for its time due now."""
        with self.app.app_context(), begin() as unit:
            now = utcnow()
            unit.connection.execute(
                sa.update(DeliveryRow).where(DeliveryRow.status == "pending").values(due=now)
            )
            unit.connection.execute(sa.update(LaneRow).where(LaneRow.due_at.is_not(None)).values(due_at=now))
            unit.connection.execute(sa.update(JobRow).where(JobRow.status == "queued").values(due=now))

    def expire(self) -> None:
        """Let every lease run out, as if its holder had been paused for long."""
        past = db_now(-1)
        with self.app.app_context(), begin() as unit:
            unit.connection.execute(sa.update(LaneRow).values(until=past))
            unit.connection.execute(sa.update(JobRow).where(JobRow.holder.is_not(None)).values(until=past))
            unit.connection.execute(sa.update(LeaseRow).values(until=past))

    def start_worker(self, **timing: float) -> subprocess.Popen[bytes]:
        """A worker in a process of its own."""
        told = {
            "database": self.database,
            "redis": self.redis,
            "folder": str(self.folder),
            "timing": {**asdict(QUICK), **timing},
        }
        environ = {**os.environ, "JOBSTEAD_TEST_WORLD": json.dumps(told)}
        log = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.process"], cwd=ROOT, env=environ, stdout=log, stderr=log
        )
        log.close()
        self.workers.append(worker)
        return worker

    def wait(self, condition: Callable[[], object], *, workers: bool = False, what: str = "") -> None:
        """Until ``condition``; with ``workers``, one that died is started again, as a supervisor would."""
        until = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > until:
                logs = "\n".join(f.read_text()[-3000:] for f in sorted(self.folder.glob("worker-*.log"))[-2:])
                raise AssertionError(f"{what or 'it'} did not come about\n{logs}")
            if workers and all(worker.poll() is not None for worker in self.workers):
                self.start_worker()
            time.sleep(0.05)

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGKILL)
            worker.wait()
        self.engine.stopping.set()
        self.engine.database.dispose()
        if self.engine.redis is not None:
            self.engine.redis.close()
            self.engine.redis.connection_pool.disconnect()
