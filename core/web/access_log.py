"""One line for each request, when its answer is ready to leave."""

from __future__ import annotations

import time
from typing import Any

from flask import request

from core import context
from core.log import get_logger

log = get_logger("jobstead.access")

_PROBES = frozenset({"/health", "/livez", "/readyz"})


def write(environ: dict[str, Any], status: str, headers: list[tuple[str, str]]) -> None:
    """Say who asked for what, what became of it, and how long that took (milliseconds).

    The query is left out: it is where people put what nobody else should read. A probe that is
    answered well is worth a line only at level ``debug``.
    """
    rule = request.url_rule
    size = next((value for name, value in headers if name == "Content-Length"), None)
    path = environ["PATH_INFO"]
    write = log.debug if path in _PROBES and status.startswith("2") else log.info
    write(
        "request",
        method=environ["REQUEST_METHOD"],
        path=path,
        endpoint=rule.endpoint if rule is not None else None,
        status=int(status[:3]),
        bytes=int(size) if size is not None else None,
        ms=round((time.perf_counter() - environ["jobstead.started"]) * 1000, 2),
        actor=context.principal().label,
        address=environ.get("REMOTE_ADDR"),
    )
