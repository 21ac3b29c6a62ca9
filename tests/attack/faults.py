"""What is wrong with an answer to bad input, and where bad input is sent."""

from __future__ import annotations

from werkzeug.test import TestResponse

from tests.attack.operations import Operation
from tests.attack.scene import Scene

POSITION = ("limit", "cursor", "sort")
"""Read for every list by the same code: tried in full once a plugin."""

COUNTED = {
    "core_login_failure": "a wrong password is counted, whoever's address it was tried with",
    "core_code": "a try is counted before a code is compared, a request before it is answered",
    "core_event": "an unverified account's right password sends a code",
}
"""What a refused request may leave behind, and why."""


def url_of(op: Operation, scene: Scene, **said: str) -> str:
    values = {name: scene.org["id"] if name == "org" else str(scene.outsider.id) for name, _ in op.places}
    return op.url(**{**values, **said})


def plugin(op: Operation) -> str:
    return op.id.partition(".")[0]


def fault(op: Operation, answer: TestResponse, how: str) -> list[str]:
    if answer.status_code >= 500 and not (op.path == "/readyz" and answer.status_code == 503):
        return [f"{op} with {how}: {answer.status_code} {answer.text[:100]}"]
    if answer.status_code >= 400 and answer.mimetype != "application/problem+json":
        return [f"{op} with {how}: {answer.status_code} as {answer.mimetype}"]
    if answer.status_code >= 400 and not {"type", "title", "status", "code"} <= set(answer.json or {}):
        return [f"{op} with {how}: {answer.text[:100]}"]
    return []
