"""PostgreSQL and Redis for tests: the ones given, else our own on free ports, shared by one test run.

``JOBSTEAD_TEST_DATABASE_URL`` and ``JOBSTEAD_TEST_REDIS_URL`` win. Otherwise the first process that asks
starts a keeper, which owns the server and ends it when the test run is over, however that ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.support import postgres, redis_

ROOT = Path(__file__).resolve().parents[2]
_KINDS: dict[str, Callable[[Path], tuple[list[str], str]]] = {"postgres": postgres.plan, "redis": redis_.plan}
_READY: dict[str, Callable[[str], bool]] = {"postgres": postgres.answers, "redis": redis_.answers}
_PATIENCE = 60.0  # seconds for a server to come up on a busy machine


def postgres_server() -> str | None:
    """URL of a server where databases may be made and dropped; None where PostgreSQL is not installed."""
    return os.environ.get("JOBSTEAD_TEST_DATABASE_URL") or (
        _shared("postgres") if postgres.binaries() else None
    )


def redis_server() -> str | None:
    """URL of a Redis or Valkey server; None where there is none. Tests take ``redis_database()``."""
    return os.environ.get("JOBSTEAD_TEST_REDIS_URL") or (_shared("redis") if redis_.executable() else None)


def redis_database() -> str | None:
    """URL of an empty database of that server for one test alone; None where there is no server."""
    url = redis_server()
    return redis_.fresh_database(url) if url else None


def _shared(kind: str) -> str:
    """The URL of this test run's server, started by whoever asks first."""
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    home = Path(tempfile.gettempdir()) / f"jobstead-test-{os.getuid()}-{run}-{_born(run)}"
    home.mkdir(mode=0o700, exist_ok=True)
    with (home / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = home / f"{kind}.json"
        if not told.exists():
            _keep(kind, run, home)
        answer = json.loads(told.read_text())
    if "url" not in answer:
        raise RuntimeError(f"{kind} did not start: {answer['fault']}")
    return str(answer["url"])


def _keep(kind: str, run: int, home: Path) -> None:
    unmeasured = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE")}
    subprocess.Popen(
        [sys.executable, "-m", "tests.support.servers", kind, str(run), str(home)],
        cwd=ROOT,
        env=unmeasured,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ).returncode = 0  # it outlives us, and nobody waits for it
    until = time.monotonic() + _PATIENCE + 5
    while not (home / f"{kind}.json").exists():
        if time.monotonic() > until:
            raise RuntimeError(f"the keeper of {kind} did not come up")
        time.sleep(0.05)


def _born(pid: int) -> str:
    """Tells this process from an earlier one with the same id."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "gone" if fields[0] == "Z" else fields[19]
    except FileNotFoundError:
        return "gone" if Path("/proc/self").exists() else "0"


def keeper(kind: str, run: int, home: Path) -> None:
    """Start the server, tell its URL, and end it when process ``run`` is gone."""
    told, born = home / f"{kind}.json", _born(run)
    folder = Path(tempfile.mkdtemp(prefix=f"jobstead-{kind}-"))
    server = None
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        command, url = _KINDS[kind](folder)
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/")
        until = time.monotonic() + _PATIENCE
        while not _READY[kind](url):
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "log").read_text()[-2000:] or "it said nothing")
            time.sleep(0.05)
        _tell(told, {"url": url})
        while _born(run) == born and _runs(run):
            time.sleep(0.25)
    except (OSError, RuntimeError, subprocess.CalledProcessError) as fault:
        _tell(told, {"fault": str(fault)})
    finally:
        if server is not None and server.poll() is None:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)
        if not _runs(run) or _born(run) != born:
            shutil.rmtree(home, ignore_errors=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _born(pid) != "gone"


def _tell(path: Path, answer: dict[str, str]) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(answer))
    fresh.replace(path)


def without_password(url: str) -> str:
    """A URL that may be printed."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


if __name__ == "__main__":
    keeper(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
