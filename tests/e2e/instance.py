"""A whole instance, started as ``make up`` starts it, and talked to over HTTP alone."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples" / "feeds"
ADMIN = {"email": "admin@example.org", "password": "a long walk by the sea"}
PATIENCE = 120.0  # seconds; generous, since nothing here asserts a time

Found = TypeVar("Found")


def wait_for(what: str, look: Callable[[], Found | None]) -> Found:
    """Ask until there is an answer. Fails with ``what`` was waited for."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"waited {PATIENCE:.0f} s in vain for {what}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None: ...


@contextmanager
def feed_server(folder: Path = SAMPLES) -> Iterator[str]:
    """Real HTTP in front of a folder of feed answers; yields its base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Instance:
    """One running instance; ``environment`` is added to the test's own."""

    data: Path
    environment: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    _clients: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Instance:
        self.data.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "PORT": str(self.port),
            "JOBSTEAD_DATA": str(self.data),
            "JOBSTEAD_LIMITS_SCALE": "100000",
            "JOBSTEAD_OUTGOING__ALLOW_HTTP": "true",
            "JOBSTEAD_OUTGOING__ALLOW_NETWORKS": "127.0.0.0/8",
            "ADMIN_EMAIL": ADMIN["email"],
            "ADMIN_PASSWORD": ADMIN["password"],
            **self.environment,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "core.cli", "up"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
        wait_for("the instance to be ready", self._ready)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._clients.close()
        assert self.stop() == 0, self.log.read_text()[-4000:]

    @property
    def log(self) -> Path:
        return self.data / "up.log"

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-4000:]
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=20)
        self._clients.callback(client.close)
        return client

    def sign_in(self, email: str, password: str) -> httpx.Client:
        answer = self.client().post("/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return self.client(answer.json()["accessToken"])

    def admin(self) -> httpx.Client:
        return self.sign_in(**ADMIN)

    def register(self, email: str, password: str = "a quiet library") -> httpx.Client:
        """A person registers, reads the code in the mail, verifies, and signs in."""
        body = {"email": email, "password": password, "name": email.partition("@")[0].title()}
        answer = self.client().post("/auth/register", json=body)
        assert answer.status_code == 202, answer.text
        code = wait_for(f"the mail to {email}", lambda: self.code_for(email))
        answer = self.client().post("/auth/verify-otp", json={"email": email, "code": code})
        assert answer.status_code == 200, answer.text
        return self.sign_in(email, password)

    def code_for(self, email: str) -> str | None:
        """The six digits in the newest mail to ``email``."""
        mails = sorted((self.data / "mail").glob("*.eml"), key=lambda path: path.stat().st_mtime_ns)
        for path in reversed(mails):
            mail: Any = message_from_bytes(path.read_bytes(), policy=policy.default)
            if email in str(mail["To"]):
                text = mail.get_body(("plain",)).get_content()
                found = re.search(r"\b\d{6}\b", text)
                if found:
                    return found.group()
        return None

    def switch_on(self, admin: httpx.Client, plugin: str) -> None:
        """Enable ``plugin`` over HTTP and wait until the reloaded processes serve it."""
        answer = admin.post(f"/plugins/{plugin}/enable")
        assert answer.status_code in (200, 202), answer.text
        wait_for(f"{plugin} to be active", lambda: self.state_of(admin, plugin) == "active")

    @staticmethod
    def state_of(admin: httpx.Client, plugin: str) -> str | None:
        try:
            answer = admin.get(f"/plugins/{plugin}")
        except httpx.TransportError:
            return None
        return answer.json().get("state") if answer.status_code == 200 else None

    def children(self, *words: str) -> list[int]:
        """Process ids below the supervisor whose command line has all of ``words``."""
        assert self.process is not None
        parents = {self.process.pid}
        found = []
        for stat in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
            try:
                parent = int(stat.read_text().rpartition(") ")[2].split()[1])
                command = (stat.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if parent in parents:
                parents.add(int(stat.parent.name))
                if all(word in command for word in words):
                    found.append(int(stat.parent.name))
        return found
