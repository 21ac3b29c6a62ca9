"""Doing what is due: the same for a bell, for the sweep, and for a process without Redis."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from core.clock import utcnow
from core.db import begin
from core.log import get_logger
from core.switch import active

from .graves import holder
from .lanes import Lane, claim, release
from .leader import lead, resign
from .models import JobRow, QueueRow
from .perform import perform
from .registry import QUEUES
from .relay import relay
from .retry import LeaseLost
from .runner import Counts, Runner
from .state import Engine
from .timeouts import HandedBack

log = get_logger(__name__)


def work_lanes(engine: Engine, queues: Sequence[str], *, until: float | None = None) -> Counts:
    """Claim and run lanes of ``queues`` until none is due, or the monotonic clock says ``until``."""
    counts = Counts()
    lane: Lane | None = None
    while not engine.stopping.is_set():
        lane = claim(engine, queues, release=lane)
        if lane is None:
            return counts
        runner = Runner(engine, lane)
        try:
            runner.run()
        except LeaseLost as lost:
            log.warning("lane lost", reason=str(lost))
            lane = None
        except HandedBack:
            break
        except BaseException:
            with suppress(SQLAlchemyError):  # else its lease runs out
                release(engine, lane)
            raise
        finally:
            counts.add(runner.counts)
            engine.heartbeat.drop(runner.holder)
        if until is not None and time.monotonic() > until:
            break
    if lane is not None:
        release(engine, lane)
    return counts


def due_jobs(engine: Engine, queues: Sequence[str], limit: int) -> list[UUID]:
    """Named jobs that are due, in the order they should be run."""
    known = [job.name for job in engine.registry.jobs.values() if active(job.plugin)]
    paused = select(QueueRow.name).where(QueueRow.paused_at.is_not(None))
    due = (
        select(JobRow.id)
        .where(JobRow.status == "queued", JobRow.due <= utcnow(), JobRow.queue.in_(list(queues)))
        .where(JobRow.name.in_(known), JobRow.queue.not_in(paused))
        .order_by(JobRow.priority.desc(), JobRow.due)
        .limit(limit)
    )
    with begin(on=engine.database, write=False) as unit:
        return list(unit.connection.scalars(due))


def drain(engine: Engine, limit: int = 1_000_000) -> Counts:
    """Relay, lanes and jobs in this process until nothing is due or ``limit`` things were done.

    Without Redis this is how everything runs; with it, tests use it. Where another process
    leads, its events are left to it.
    """
    counts = Counts()
    leader = holder()
    leads = lead(engine, leader)
    try:
        while not engine.stopping.is_set():
            step = drain_once(engine, QUEUES, leader if leads else None)
            counts.add(step)
            if not any(vars(step).values()) or sum(vars(counts).values()) >= limit:
                return counts
    finally:
        if leads:
            resign(engine, leader)
    return counts


def drain_once(engine: Engine, queues: Sequence[str], leader: str | None = None) -> Counts:
    """One round of everything that is due."""
    counts = Counts()
    if leader is not None:
        with suppress(LeaseLost):
            counts.events = relay(engine, leader)
    counts.add(work_lanes(engine, queues, until=time.monotonic() + engine.timing.shift))
    for identifier in due_jobs(engine, queues, 20):
        if engine.stopping.is_set():
            break
        if perform(engine, identifier).status != "unclaimed":
            counts.jobs += 1
    return counts
