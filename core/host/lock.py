"""One migration at a time: a file lock beside SQLite, an advisory lock on PostgreSQL."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text

_ADVISORY = 0x4A6F6273  # "Jobs"; advisory locks are counted per database
_PATIENCE = 300  # seconds that somebody else's migration may take


class LockedError(Exception):
    """Somebody else has been migrating this database for longer than we wait."""


@contextmanager
def exclusive(engine: Engine, data_dir: Path) -> Iterator[None]:
    """Hold the right to migrate for the duration. Raises ``LockedError`` after five minutes of waiting."""
    if engine.dialect.name == "postgresql":
        with _advisory(engine):
            yield
    else:
        with _file(data_dir / "run" / "migrate.lock"):
            yield


@contextmanager
def _file(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        _patiently(lambda: _flock(file.fileno()))
        yield  # closing the file gives the lock back, and so does dying


def _flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _advisory(engine: Engine) -> Iterator[None]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        ask = text("SELECT pg_try_advisory_lock(:key)")
        _patiently(lambda: bool(connection.execute(ask, {"key": _ADVISORY}).scalar()))
        yield  # the session's end gives it back
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY})


def _patiently(attempt: Callable[[], bool]) -> None:
    until = time.monotonic() + _PATIENCE
    while not attempt():
        if time.monotonic() > until:
            raise LockedError("another process is migrating this database; try again when it is done")
        time.sleep(0.1)
