"""Whether mails go out, as admins see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from core.testing import Instance, Person

from .conftest import Mailbox, free_port
from .test_sending import later, records, register


def admin(instance: Instance) -> Person:
    """An admin whose own mails are out."""
    root = instance.person("root@example.com", role="superadmin")
    instance.drain()
    return root


def health(root: Person) -> dict[str, Any]:
    answer = root.get("/plugins/mail")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.data)["health"]
    return found


def test_health_tells_of_the_last_failure_and_of_the_last_success(
    instance: Instance, serve: Callable[..., Mailbox]
) -> None:
    server = serve()
    instance.plugins(mail={"smtp": {"host": "127.0.0.1", "port": server.port, "security": "none"}})
    root = admin(instance)
    server.rcpt.append("451 4.7.1 greylisted")
    register(instance)
    instance.drain()
    found = health(root)
    assert found["status"] == "degraded"
    assert "451" in found["reason"]
    later(instance, minutes=1)
    found = health(root)
    assert (found["status"], found["reachable"], found["transport"]) == ("ok", True, "smtp")
    assert found["last_success"] > found["last_failure"]


def test_health_is_down_without_a_server(instance: Instance) -> None:
    instance.plugins(mail={"smtp": {"host": "127.0.0.1", "port": free_port(), "security": "none"}})
    found = health(admin(instance))
    assert (found["status"], found["reachable"]) == ("down", False)


def test_a_transport_nobody_offers_makes_mails_wait(instance: Instance) -> None:
    instance.plugins(mail={"transport": "pigeon"})
    register(instance)
    instance.drain()
    (record,) = records(instance)
    assert record.sent_at is None
    assert "pigeon" in str(record.reason)
    assert health(admin(instance))["status"] == "down"
