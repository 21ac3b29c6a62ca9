"""Several transports: who takes over, when nobody does, and what admins see of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from core.api import begin, utcnow
from core.testing import Instance
from plugins.mail.api import send
from plugins.mail.breaker import FAILURES, breaker

from .conftest import Mailbox, deliveries, free_port, through
from .vendors import API_KEY, HANG, Answer, Vendor


def wish(instance: Instance, key: str = "hello") -> None:
    with instance.app.app_context(), begin():
        send(to="ann@example.com", template="welcome", context={"name": "Ann"}, key=key)
    instance.drain()


def both(instance: Instance, resend: Vendor, server: Mailbox, **settings: Any) -> Instance:
    smtp = {"host": "127.0.0.1", "port": server.port, "security": "none"}
    return through(instance, resend, transports=["resend", "smtp"], smtp=smtp, **settings)


@pytest.mark.parametrize(
    "trouble",
    [Answer(500), Answer(429, None, {"Retry-After": "60"}), Answer(403), HANG],
    ids=["500", "429", "403", "hang"],
)
def test_the_next_one_takes_over(
    instance: Instance, resend: Vendor, serve: Callable[..., Mailbox], trouble: Answer | str
) -> None:
    server = serve()
    both(instance, resend, server)
    root = instance.person("root@example.com", role="superadmin")
    instance.drain()
    before = len(server.taken), len(resend.taken)
    resend.answers.append(trouble)
    wish(instance)
    wish(instance, "again")
    assert (len(server.taken) - before[0], len(resend.taken) - before[1]) == (1, 1)
    first, second = deliveries(root)[-2:]
    assert (first["status"], first["transport"], first["attempts"]) == ("sent", "smtp", 1)
    assert (second["status"], second["transport"]) == ("sent", "resend")
    assert second["reference"]


def test_nobody_else_is_asked_about_a_mail_that_was_refused(
    instance: Instance, resend: Vendor, serve: Callable[..., Mailbox]
) -> None:
    server = serve()
    both(instance, resend, server)
    root = instance.person("root@example.com", role="superadmin")
    instance.drain()
    resend.answers.append(Answer(422, {"name": "validation_error", "message": "no such address"}))
    wish(instance)
    with time_machine.travel(utcnow() + timedelta(hours=2)):
        instance.drain()
    assert server.taken == []
    mail = deliveries(root)[-1]
    assert (mail["status"], mail["transport"], mail["attempts"]) == ("failed", "resend", 1)
    assert "422" in mail["reason"]


def test_where_nobody_can_the_mail_waits_as_long_as_asked(instance: Instance, resend: Vendor) -> None:
    through(instance, resend)
    root = instance.person("root@example.com", role="superadmin")
    instance.drain()
    resend.answers.append(Answer(429, None, {"Retry-After": "1800"}))
    wish(instance)
    assert deliveries(root)[-1]["status"] == "queued"
    asked = len(resend.asked)
    with time_machine.travel(utcnow() + timedelta(minutes=20)):
        instance.drain()
    assert len(resend.asked) == asked
    with time_machine.travel(utcnow() + timedelta(minutes=31)):
        instance.drain()
    assert len(resend.asked) == asked + 1
    mail = deliveries(root)[-1]
    assert (mail["status"], mail["attempts"]) == ("sent", 2)
    keys = [request["headers"]["idempotency-key"] for request in resend.asked[-2:]]
    assert keys == [mail["id"]] * 2


def test_one_that_keeps_failing_is_tried_last(
    instance: Instance, resend: Vendor, serve: Callable[..., Mailbox]
) -> None:
    server = serve()
    both(instance, resend, server)
    resend.answers += [Answer(500)] * (FAILURES + 1)
    for number in range(FAILURES + 2):
        wish(instance, f"mail {number}")
    assert len(resend.asked) == FAILURES
    assert len(server.taken) == FAILURES + 2
    server.rcpt.append("451 greylisted")  # and when the other cannot, it is asked all the same
    resend.answers.clear()
    wish(instance, "last")
    assert len(resend.taken) == 1
    with instance.app.app_context():
        assert breaker().order(["resend", "smtp"]) == ["resend", "smtp"]


def test_health_tells_each_of_them(instance: Instance, resend: Vendor) -> None:
    smtp = {"host": "127.0.0.1", "port": free_port(), "security": "none"}
    through(instance, resend, transports=["resend", "smtp", "pigeon"], smtp=smtp)
    root = instance.person("root@example.com", role="superadmin")
    instance.drain()
    answer = root.get("/plugins/mail")
    health = (answer.json or {})["health"]
    assert health["status"] == "degraded"
    assert [(t["name"], t["reachable"]) for t in health["transports"]] == [
        ("resend", True),
        ("smtp", False),
        ("pigeon", False),
    ]
    assert API_KEY not in answer.text


def test_a_name_that_nobody_offers_is_passed_over(instance: Instance, resend: Vendor) -> None:
    through(instance, resend, transports=["pigeon", "resend"])
    wish(instance)
    assert len(resend.taken) == 1
