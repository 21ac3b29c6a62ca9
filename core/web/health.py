"""Whether this process lives, is ready for requests, and how what it depends on is."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from flask import Flask, Response
from sqlalchemy import text
from sqlalchemy.pool import QueuePool

from core.access import may, public, require
from core.db import database
from core.log import get_logger

from .blueprint import Blueprint
from .json_provider import dump_bytes
from .redis_health import redis_probe
from .state import Web, web

log = get_logger(__name__)

READ = "core.health.read"
_FRESH_FOR = 2.0  # seconds an answer about readiness may be repeated

Check = Callable[[], None]
"""Returns when all is well, raises where it is not; the exception's text goes to those entitled."""
Probe = Callable[[], dict[str, Any]]
"""How something is: ``{"status": "ok" | "degraded" | "down", ...}``."""

blp = Blueprint("health", __name__)


def init_app(app: Flask) -> None:
    """Check and probe the database and Redis; other rooms add theirs."""
    app.extensions["jobstead.permissions"].add(
        READ, plugin="core", summary="See how the instance and what it depends on are.", roles=("admin",)
    )
    add_check(app, "database", _database_check)
    add_probe(app, "database", _database_probe)
    add_probe(app, "redis", redis_probe)


def add_check(app: Flask, name: str, check: Check) -> None:
    """Let ``check`` decide, with the others, whether ``/readyz`` says yes."""
    web(app).checks[name] = check


def add_probe(app: Flask, name: str, probe: Probe) -> None:
    """Show what ``probe`` returns in ``/health/detailed``."""
    web(app).probes[name] = probe


def drain(app: Flask) -> None:
    """Say from now on that this process takes no more requests: it is about to stop."""
    web(app).draining = True


@blp.get("/health")
@public
@blp.response(200)
def health() -> dict[str, str]:
    """Whether the process answers. Looks at nothing else."""
    return {"status": "ok"}


@blp.get("/livez")
@public
@blp.response(200)
def live() -> dict[str, str]:
    """Whether the process should be left running."""
    return {"status": "ok"}


@blp.get("/readyz")
@public
@blp.response(200)
@blp.alt_response(503, description="Not ready; `Retry-After` says when to ask again.")
def ready() -> Response:
    """Whether requests should be sent here. Details are for those who may read them."""
    state = web()
    faults = {"process": "is about to stop"} if state.draining else _faults(state)
    if not faults:
        return _answer({"status": "ready"}, 200)
    body: dict[str, Any] = {"status": "unavailable", "failing": sorted(faults)}
    if may(READ):
        body["reasons"] = faults
    response = _answer(body, 503)
    response.headers["Retry-After"] = "2"
    return response


@blp.get("/health/detailed")
@require(READ)
@blp.response(200)
def detailed() -> dict[str, Any]:
    """Every dependency and what plugins say of themselves."""
    parts = {name: _asked(probe) for name, probe in web().probes.items()}
    worst = {part.get("status") for part in parts.values()}
    status = "down" if "down" in worst else "degraded" if "degraded" in worst else "ok"
    return {"status": status, **parts}


@blp.get("/health/database")
@require(READ)
@blp.response(200)
def of_database() -> dict[str, Any]:
    """A round trip to the database, and its pool."""
    return _asked(web().probes["database"])


@blp.get("/health/redis")
@require(READ)
@blp.response(200)
def of_redis() -> dict[str, Any]:
    """Redis: whether it answers, its memory, whether we run it; `mode: direct` where there is none."""
    return _asked(web().probes["redis"])


_lock = Lock()


def _faults(state: Web) -> dict[str, str]:
    """What fails, by check; asked of the checks at most every two seconds, by one thread at a time."""
    with _lock:
        now = time.monotonic()
        known: tuple[float, dict[str, str]] | None = state.caches.get("ready")
        if known is not None and now - known[0] < _FRESH_FOR:
            return known[1]
        faults = {}
        for name, check in state.checks.items():
            try:
                check()
            except Exception as fault:
                faults[name] = f"{type(fault).__name__}: {fault}"
        if faults:
            log.warning("not ready", faults=faults)
        state.caches["ready"] = (time.monotonic(), faults)
        return faults


def _asked(probe: Probe) -> dict[str, Any]:
    try:
        return probe()
    except Exception as fault:
        return {"status": "down", "error": f"{type(fault).__name__}: {fault}"}


def _answer(body: dict[str, Any], status: int) -> Response:
    return Response(dump_bytes(body), status=status, mimetype="application/json")


def _database_check() -> None:
    with database().engine.connect() as connection:
        connection.info["write"] = False
        connection.execute(text("SELECT 1"))


def _database_probe() -> dict[str, Any]:
    started = time.perf_counter()
    _database_check()
    pool = database().engine.pool
    found: dict[str, Any] = {
        "status": "ok",
        "dialect": database().dialect,
        "ms": round((time.perf_counter() - started) * 1000, 2),
    }
    if isinstance(pool, QueuePool):
        found["pool"] = {"size": pool.size(), "inUse": pool.checkedout(), "overflow": max(0, pool.overflow())}
    return found
