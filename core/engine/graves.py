"""Leases of processes that died on this very machine need not run out: everybody here can see them dead.

After a crash this brings work back within a second instead of a lease. Elsewhere, and where the
kernel does not tell machines and process namespaces apart, leases run out as usual.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select, update

from core.db import begin
from core.log import get_logger

from .models import JobRow, LaneRow, LeaseRow
from .moment import db_now
from .state import Engine

log = get_logger(__name__)


@cache
def _here() -> str:
    """This boot of this machine and this process namespace; empty where that cannot be known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
        return f"{socket.gethostname()[:24]}/{boot}/{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def holder() -> str:
    """A name for whoever takes a lease, never used before: it says where, and is the fence."""
    return f"{_here() or socket.gethostname()[:24]}:{os.getpid()}:{uuid4().hex}"


def bury(engine: Engine) -> int:
    """End the leases of processes of this machine that are no more; returns how many holders that were."""
    held = (
        select(LaneRow.holder)
        .where(LaneRow.holder.is_not(None), LaneRow.until > db_now())
        .union(
            select(JobRow.holder).where(JobRow.status == "running", JobRow.until > db_now()),
            select(LeaseRow.holder).where(LeaseRow.until > db_now()),
        )
    )
    with begin(on=engine.database, write=False) as unit:
        dead = [name for name in unit.connection.scalars(held) if name and _is_dead(name)]
    if dead:
        log.warning("a process of this machine died; its leases end", holders=len(dead))
        with begin(on=engine.database) as unit:
            for table in (LaneRow, JobRow, LeaseRow):
                unit.connection.execute(update(table).where(table.holder.in_(dead)).values(until=db_now(-1)))
    return len(dead)


def _is_dead(name: str) -> bool:
    where, _, rest = name.partition(":")
    pid = rest.partition(":")[0]
    if not where or where != _here() or not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
