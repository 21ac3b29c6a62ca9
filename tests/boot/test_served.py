"""The real processes under the real supervisor, as ``make up`` starts them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.conftest import PATIENCE, ROOT, alive, free_port, until


class Server:
    """``jobstead up`` on a directory."""

    def __init__(self, directory: Path) -> None:
        self.data = directory / "data"
        self.output = directory / "output"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **environ: str) -> Server:
        given = {**os.environ, "JOBSTEAD_DATA": str(self.data), "PORT": str(self.port), **environ}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "core.cli", "up"], cwd=ROOT, env=given, stdout=output, stderr=output
            )
        until(
            "the line that says ready",
            lambda: "jobstead: ready" in self.said() or self.process.poll() is not None,
        )
        assert self.process.poll() is None, self.said()
        return self

    def said(self) -> str:
        return self.output.read_text()

    def ready(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def children(self) -> list[int]:
        state = json.loads((self.data / "run" / "supervisor.json").read_text())
        return [child["pid"] for child in state["children"].values()]

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    if made.process is not None:
        made.stop()


def test_the_link_is_the_same_until_it_is_used_and_nothing_stays_behind(server: Server) -> None:
    server.start()
    assert server.ready() == 200
    link = next(line for line in server.said().splitlines() if "first admin" in line)
    assert f"http://127.0.0.1:{server.port}/setup?token=" in link
    children = server.children()
    assert server.stop() == 0
    assert not any(map(alive, children))
    assert link in server.start(JOBSTEAD_REDIS="direct").said().splitlines()
    assert "not used, as configured (direct mode)" in server.said()
    assert server.ready() == 200


def test_readiness_is_withdrawn_before_it_stops(server: Server) -> None:
    server.start(PUBLIC_URL=f"http://127.0.0.1:{server.port}", JOBSTEAD_REDIS="direct")
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    until("readiness to be withdrawn", lambda: server.ready() == 503)
    assert server.process.wait(PATIENCE) == 0
