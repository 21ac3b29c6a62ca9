"""How plugins say they are, and whether this process has what it needs to be asked anything."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app

from core.db import row_security
from core.hooks import HookFailed, hooks
from core.log import get_logger
from core.web.health import add_check, add_probe

from . import revisions, state
from .record import Record
from .registry import host

log = get_logger(__name__)

STATUSES = ("ok", "degraded", "down")


def init_app(app: Flask) -> None:
    """Let readiness wait for core's migrations, and show plugins in ``/health/detailed``."""
    add_check(app, "migrations", _migrated)
    add_check(app, "plugins", _read_at_start)
    if app.extensions["jobstead.db"].dialect == "postgresql":
        add_check(app, "row_security", _walled)
    add_probe(app, "plugins", report)


def report() -> dict[str, Any]:
    """Every plugin's answer by name; ``degraded`` where one that should run failed or is not well."""
    answers = {record.name: answer for record in host().active() if (answer := health_of(record))}
    for record in host().failed():
        answers[record.name] = {"status": "down", "reason": f"failed at {record.step}"}
    fine = all(answer["status"] == "ok" for answer in answers.values())
    return {"status": "ok" if fine else "degraded", "plugins": answers}


def _migrated() -> None:
    if host().migrated:  # what has been applied stays applied
        return
    with current_app.extensions["jobstead.db"].engine.connect() as connection:
        connection.info["write"] = False
        pending = revisions.pending(revisions.target("core", None), connection)
    if pending:
        raise RuntimeError(f"{len(pending)} migration(s) of core pending: run jobstead db upgrade")
    host().migrated = True


def _walled() -> None:
    with current_app.extensions["jobstead.db"].engine.connect() as connection:
        faults = row_security.faults(connection)
    if faults:
        raise RuntimeError(f"{'; '.join(faults)}: run jobstead db upgrade")


def _read_at_start() -> None:
    if host().generation == state.UNKNOWN:
        raise RuntimeError("the database was away when this process started; it waits to be reloaded")


def health_of(record: Record) -> dict[str, Any] | None:
    """What the plugin's ``health`` hook says; ``None`` where it has none or does not run.

    A raise or a wrong answer is ``down`` with the name of what was raised, never more: the text of
    an exception may hold what the caller must not see.
    """
    if record.state != "active":
        return None
    try:
        answers = hooks().of(record.name, "health", config=record.config)
    except HookFailed as fault:
        log.warning("health check failed", plugin=record.name, error=repr(fault.__cause__))
        return {"status": "down", "reason": type(fault.__cause__).__name__}
    if not answers:
        return None
    answer = answers[0]
    if not isinstance(answer, dict) or answer.get("status") not in STATUSES:
        return {"status": "down", "reason": "the health hook must return a status: ok, degraded or down"}
    return answer
