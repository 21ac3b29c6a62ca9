"""A real feed on 127.0.0.1 that behaves, or misbehaves, as a test wants; and an instance that asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from core.testing import Instance, Person

SAMPLES = Path(__file__).parents[3] / "tests" / "samples" / "feeds"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


@dataclass
class Feed:
    """What the server answers, the last for ever, and what it was asked: (path, headers)."""

    url: str
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def answers_with(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Answer so from now on."""
        self.answers = [(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)]


class _Handler(BaseHTTPRequestHandler):
    feed: Feed

    def do_GET(self) -> None:
        self.feed.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        answers = self.feed.answers
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        if "ETag" in headers and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def feed() -> Iterator[Feed]:
    """The feed, answering with our Remote OK sample until told otherwise."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made = Feed(f"http://127.0.0.1:{server.server_port}")
    made.answers_with(sample("remoteok.json"))
    server.RequestHandlerClass = type("Handler", (_Handler,), {"feed": made})
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def boards(instance: Instance, feed: Feed) -> Instance:
    """An instance with job_boards and notifications whose one source is ``feed``."""
    instance.environ |= {
        "JOBSTEAD_OUTGOING__ALLOW_HTTP": "true",
        "JOBSTEAD_OUTGOING__ALLOW_NETWORKS": "127.0.0.0/8",
    }
    return instance.plugins("notifications", job_boards={"remoteok": {"url": f"{feed.url}/api"}})


@pytest.fixture
def admin(boards: Instance) -> Person:
    return boards.person("admin@example.org", role="admin")


@pytest.fixture
def ada(boards: Instance) -> Person:
    return boards.person("ada@example.org")


@pytest.fixture
def bob(boards: Instance) -> Person:
    """Somebody in another organisation."""
    return boards.person("bob@example.org")


@pytest.fixture
def fetch(boards: Instance, admin: Person) -> Callable[..., dict[str, Any]]:
    """Fetch from a source as an admin would, let everything that follows happen, and give its health."""

    def now(source: str = "remoteok") -> dict[str, Any]:
        answer = admin.post(f"/admin/job-sources/{source}/run")
        assert answer.status_code == 202, answer.text
        boards.drain()
        return health(admin, source)

    return now


def health(admin: Person, source: str = "remoteok") -> dict[str, Any]:
    """What admins see of a source."""
    answer = admin.get(f"/admin/job-sources/{source}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json or {})


def found(person: Person, **query: Any) -> list[str]:
    """The titles that a search finds."""
    answer = person.get("/job-postings/search", query_string=query)
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in (answer.json or {})["items"]]
