"""``/health`` of Jobstead against a bare Flask app, under the same gunicorn, in turns.

CPU microseconds are those of the server's processes (user and system, from ``/proc``) over the
requests they answered; the client's are not counted. Wall-clock depends on the machine's mood, so
read the ratios.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROUNDS = 6
SECONDS = 2.0
CONNECTIONS = 8
ROOT = Path(__file__).resolve().parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Round:
    """What one server did in one round."""

    requests_per_second: float
    cpu_us_per_request: float


def run(progress: bool = True) -> dict[str, Any]:
    """Measure both servers; the result is what ``make bench`` prints."""
    contestants = {"bare Flask": "bench.bare:app", "Jobstead": "wsgi:app"}
    rounds: dict[str, list[Round]] = {name: [] for name in contestants}
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        with (
            _serving(contestants["bare Flask"], folder) as bare,
            _serving(contestants["Jobstead"], folder) as ours,
        ):
            servers = {"bare Flask": bare, "Jobstead": ours}
            for server in servers.values():
                _load(server[1], 0.5)  # warm up
            for number in range(ROUNDS):
                for name, (process, port) in servers.items():
                    if progress:
                        print(f"  round {number + 1}/{ROUNDS}: {name}", file=sys.stderr, flush=True)
                    rounds[name].append(_measure(process.pid, port))
    return {"health": _summary(rounds)}


def _summary(rounds: dict[str, list[Round]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for name, seen in rounds.items():
        table[name] = {
            "requestsPerSecond": round(statistics.median(r.requests_per_second for r in seen)),
            "cpuMicrosecondsPerRequest": round(statistics.median(r.cpu_us_per_request for r in seen)),
        }
    ours, bare = table["Jobstead"], table["bare Flask"]
    table["ratio"] = {key: round(ours[key] / bare[key], 2) for key in ours}
    return table


def prepare(folder: Path) -> None:
    """An up-to-date database in ``folder``."""
    subprocess.run(
        [sys.executable, "-m", "core.cli", "db", "upgrade"], cwd=ROOT, env=environment(folder), check=True
    )


def environment(folder: str | Path) -> dict[str, str]:
    """What a server with its data in ``folder`` is told."""
    return {
        **os.environ,
        "JOBSTEAD_DATA": str(folder),
        "JOBSTEAD_REDIS": "direct",
        "JOBSTEAD_LIMITS_SCALE": "100000",
        "JOBSTEAD_LOG__LEVEL": "warning",
    }


@contextmanager
def deployed(settings: dict[str, str]) -> Iterator[int]:
    """The port of Jobstead under gunicorn as ``deploy/`` configures it."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
    with _running(command, {**settings, "PORT": str(port)}, port):
        yield port


@contextmanager
def _serving(application: str, folder: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", "-k", "gthread", "-w", "2", "--threads", "4"]
    command += ["-b", f"127.0.0.1:{port}", "--log-level", "warning", application]
    with _running(command, environment(folder), port) as process:
        yield process, port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], settings: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, env=settings)
    try:
        _wait(port)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"the server on port {port} did not answer within 30 s")


def _measure(pid: int, port: int) -> Round:
    before = _cpu_seconds(pid)
    begun = time.perf_counter()
    answered = _load(port, SECONDS)
    elapsed = time.perf_counter() - begun
    return Round(answered / elapsed, (_cpu_seconds(pid) - before) / answered * 1e6)


def _load(port: int, seconds: float) -> int:
    """Requests answered over ``CONNECTIONS`` kept-alive connections."""
    until = time.monotonic() + seconds
    counts = [0] * CONNECTIONS

    def ask(slot: int) -> None:
        request = f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", port)) as connection:
            reader = connection.makefile("rb")
            while time.monotonic() < until:
                connection.sendall(request)
                _read_answer(reader)
                counts[slot] += 1

    threads = [threading.Thread(target=ask, args=(slot,)) for slot in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def _read_answer(reader: Any) -> None:
    length = 0
    if not reader.readline().startswith(b"HTTP/1.1 200"):
        raise SystemExit("the server stopped answering 200")
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    reader.read(length)


def _cpu_seconds(master: int) -> float:
    """User and system time of a process and its children, dead ones included."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(stat.parent.name) == master or int(fields[1]) == master:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS
