"""Resend and SendGrid on 127.0.0.1: each request is judged by the vendor's published shape, then answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

from jsonschema import Draft202012Validator

CONTRACTS = Path(__file__).parent / "contracts"
API_KEY = "vendor-key-of-these-tests"
HANG = "hang"


@dataclass
class Answer:
    """What the vendor says the next time, in place of taking the mail."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Vendor:
    """A vendor: ``asked`` are all requests, ``taken`` the bodies it sent mails for, ``wrong`` what was
    against its contract. ``answers`` come before its own judgement, one for each request."""

    name: str
    url: str = ""
    answers: list[Answer | str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    taken: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    released: Event = field(default_factory=Event)
    _by_key: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._contract = Draft202012Validator(json.loads((CONTRACTS / f"{self.name}.json").read_text()))

    def forget(self) -> None:
        """As if nobody had asked yet."""
        for kept in (self.answers, self.asked, self.taken, self.wrong, self._by_key):
            kept.clear()
        self.released.clear()

    def violations(self, request: dict[str, Any]) -> list[str]:
        """Why ``request`` (method, path, headers, body) is none of this vendor's."""
        return [f"{error.json_path}: {error.message}" for error in self._contract.iter_errors(request)]

    def answer(self, request: dict[str, Any], raw: bytes) -> Answer:
        """As the documentation says: a wrong request is refused, another one taken."""
        self.asked.append(request)
        if self.answers:
            planned = self.answers.pop(0)
            if isinstance(planned, Answer):
                return planned
            self.released.wait(20)
        found = self.violations(request)
        if found:
            self.wrong += found
            return self._refusal(request, found)
        if request["headers"]["authorization"] != f"Bearer {API_KEY}":
            return self._error(403 if self.name == "resend" else 401, "invalid_api_key", "API key is invalid")
        return self._take(request, raw)

    def _refusal(self, request: dict[str, Any], found: list[str]) -> Answer:
        if "authorization" not in request["headers"]:
            return self._error(401, "missing_api_key", "no API key")
        return self._error(422 if self.name == "resend" else 400, "validation_error", found[0])

    def _error(self, status: int, name: str, message: str) -> Answer:
        if self.name == "resend":
            return Answer(status, {"statusCode": status, "name": name, "message": message})
        return Answer(status, {"errors": [{"message": message, "field": None, "help": None}]})

    def _take(self, request: dict[str, Any], raw: bytes) -> Answer:
        if self.name == "sendgrid":
            self.taken.append(request["body"])
            return Answer(202, None, {"X-Message-Id": f"sg{len(self.taken)}"})
        key = request["headers"].get("idempotency-key", str(uuid4()))
        known = self._by_key.get(key)
        if known is not None and known[0] != raw:
            return self._error(409, "invalid_idempotent_request", "another payload was sent with this key")
        if known is None:
            known = self._by_key[key] = (raw, str(uuid4()))
            self.taken.append(request["body"])
        return Answer(200, {"id": known[1]})


class _Handler(BaseHTTPRequestHandler):
    vendor: Vendor

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        said = self.vendor.answer(
            {"method": self.command, "path": self.path, "headers": headers, "body": body}, raw
        )
        content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        content = b"" if said.body is None else content
        try:
            self.send_response(said.status)
            for name, value in {"Content-Length": str(len(content)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # who asked does not wait any longer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running(name: str) -> Iterator[Vendor]:
    """A vendor called ``name`` that listens for the duration."""
    vendor = Vendor(name)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"vendor": vendor}))
    vendor.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield vendor
    finally:
        vendor.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
