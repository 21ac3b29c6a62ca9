"""One line for each request, when its answer is ready to leave."""

from __future__ import annotations

import time

from flask import Response, request

from core import context
from core.log import get_logger

log = get_logger("jobstead.access")


def write(response: Response) -> None:
    """Say who asked for what, what became of it, and how long that took (milliseconds).

    The query is left out: it is where people put what nobody else should read.
    """
    started = request.environ.get("jobstead.started")
    log.info(
        "request",
        method=request.method,
        path=request.path,
        endpoint=request.endpoint,
        status=response.status_code,
        bytes=response.content_length,
        ms=round((time.perf_counter() - started) * 1000, 2) if started is not None else None,
        actor=context.principal().label,
        address=request.remote_addr,
    )
