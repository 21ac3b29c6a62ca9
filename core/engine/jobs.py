"""The one function that RQ imports."""

from __future__ import annotations

import importlib
import time
from contextlib import nullcontext
from functools import cache
from typing import Any, cast
from uuid import UUID

from flask import Flask, has_app_context

from .lanes import due_queues
from .perform import perform
from .rqueue import again_in
from .state import Engine, engine
from .work import work_lanes


class JobDied(Exception):
    """A named job has failed for the last time; RQ lists it among its failed ones."""


def run(kind: str, what: str) -> Any:
    """``run("bell", queue)``: handle what is due there. ``run("job", id)``: run that row.

    The row decides: a job that is done, not due or in other hands is left alone, however often
    RQ brings it. Returns what became of it.
    """
    with nullcontext() if has_app_context() else _app().app_context():
        if kind == "bell":
            return hear(engine(), what)
        if kind == "job":
            return _one(engine(), UUID(what))
        raise ValueError(f"there is no work of kind {kind}")


def hear(engine: Engine, queue: str) -> int:
    """Work through the lanes of ``queue`` for one shift; returns how many deliveries were handled."""
    until = time.monotonic() + engine.timing.shift
    if engine.bell.several_workers(queue):
        engine.bell.ring(queue)  # somebody else may take a lane meanwhile
    counts = work_lanes(engine, [queue], until=until)
    if time.monotonic() > until and due_queues(engine, [queue]):
        engine.bell.ring(queue, last=True)  # behind the named jobs that wait
    return counts.done


def _one(engine: Engine, identifier: UUID) -> Any:
    outcome = perform(engine, identifier)
    if outcome.status == "dead":
        raise JobDied(outcome.error)
    if outcome.again is not None:
        return again_in(outcome.again)
    return outcome.status


@cache
def _app() -> Flask:
    """The app, where a stock ``rq worker`` runs us. Named by text: this floor imports no upper one."""
    return cast(Flask, importlib.import_module("core.app").create_app())
