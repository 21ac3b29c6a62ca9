"""An instance under a real supervisor, with stand-ins for web and worker."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PATIENCE = 120.0  # seconds; generous, since nothing here asserts a time


def until(what: str, found: Callable[[], Any]) -> Any:
    """Wait for a truthy answer; the test fails, naming ``what``, when none comes."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = found()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"waited in vain for {what}")


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Instance:
    """A supervisor on a directory; its children write down what happens to them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.journal = directory / "journal"
        self.output = directory / "output"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def behave(self, role: str, how: str) -> None:
        self.journal.with_name(f"journal.{role}").write_text(how)

    def start(self, *, prefix: Sequence[str] = (), **settings: Any) -> Instance:
        """Start the supervisor; ``prefix`` is a command that runs it, such as nohup."""
        roles = ("prepare", "upgrade", "probe", "web", "worker")
        stand_in = [sys.executable, str(HERE / "children.py")]
        given = {
            "data_dir": str(self.data),
            "host": "127.0.0.1",
            "port": self.port,
            "grace": 10.0,
            "direct": True,
            "commands": {role: [*stand_in, role, str(self.journal)] for role in roles},
            **settings,
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "tests.boot.launch", json.dumps(given)],
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        return self

    def ready(self) -> Instance:
        until("the line that says ready", lambda: "ready\n" in self.said() or not self.running())
        assert self.running(), self.said()
        until(
            "the worker",
            lambda: self.pid("worker") in [note["pid"] for note in self.notes("worker", "start")],
        )
        return self

    def said(self) -> str:
        return self.output.read_text()

    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def notes(self, role: str, what: str) -> list[dict[str, Any]]:
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        return [note for note in map(json.loads, lines) if (note["role"], note["what"]) == (role, what)]

    def pid(self, role: str) -> int:
        """The process that serves now; 0 while there is none."""
        children = json.loads((self.data / "run" / "supervisor.json").read_text())["children"]
        return int(children.get(role, {}).get("pid", 0))

    def serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ended(self) -> int:
        """Its exit code, once it ended."""
        assert self.process is not None
        return self.process.wait(PATIENCE)

    def stop(self) -> int:
        if self.running():
            self.signal(signal.SIGTERM)
        return self.ended()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    made = Instance(tmp_path)
    yield made
    if made.process is not None:
        if made.running():
            made.process.terminate()
        try:
            made.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.kill(made.process.pid, signal.SIGKILL)
            made.process.wait()
