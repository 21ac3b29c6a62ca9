"""A new configuration is tried in a throw-away child, and taken over only when it boots."""

from __future__ import annotations

import json
import signal
from typing import Any

import pytest

from tests.boot.conftest import Instance, until

pytestmark = pytest.mark.once


def ask(instance: Instance, generation: int) -> None:
    (instance.data / "run" / "reload").write_text(json.dumps({"generation": generation}))


def outcome(instance: Instance, generation: int) -> dict[str, Any]:
    file = instance.data / "run" / "reloaded"

    def told() -> Any:
        result = json.loads(file.read_text()) if file.exists() else {}
        return result if result.get("generation") == generation else None

    found: dict[str, Any] = until(f"the outcome of generation {generation}", told)
    return found


def test_a_configuration_that_boots_is_taken_over(instance: Instance) -> None:
    instance.start().ready()
    worker = instance.pid("worker")
    ask(instance, 1)
    assert outcome(instance, 1) == {"generation": 1, "ok": True, "detail": None}
    until("HUP at web", lambda: instance.notes("web", "SIGHUP"))
    until("another worker", lambda: instance.pid("worker") != worker)
    assert [note["pid"] for note in instance.notes("worker", "end")] == [worker]
    assert len(instance.notes("web", "start")) == 1
    assert "stopped (" not in instance.said()


@pytest.mark.parametrize(
    ("role", "how", "why"),
    [
        ("probe", "exit", "probe ended with exit code 7"),
        ("probe", "hang", "probe did not finish within 1 seconds"),
        ("upgrade", "exit", "upgrade ended with exit code 7"),
    ],
)
def test_one_that_does_not_leaves_everything_as_it_was(
    instance: Instance, role: str, how: str, why: str
) -> None:
    instance.start(probe_limit=1.0).ready()
    before = instance.pid("web"), instance.pid("worker")
    instance.behave(role, how)
    ask(instance, 1)
    assert outcome(instance, 1) == {"generation": 1, "ok": False, "detail": why}
    assert (instance.pid("web"), instance.pid("worker")) == before
    assert not instance.notes("web", "SIGHUP")
    assert instance.serves()

    instance.behave(role, "")
    ask(instance, 2)
    assert outcome(instance, 2)["ok"]


def test_hangup_asks_for_the_same(instance: Instance) -> None:
    instance.start().ready()
    instance.signal(signal.SIGHUP)
    until("HUP at web", lambda: instance.notes("web", "SIGHUP"))


def test_stopping_ends_a_trial_that_hangs(instance: Instance) -> None:
    instance.start().ready()
    instance.behave("probe", "hang")
    ask(instance, 1)
    until("the probe", lambda: instance.notes("probe", "start"))
    assert instance.stop() == 0
