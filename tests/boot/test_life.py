"""Deaths and ends: whoever dies comes back, whoever stops does so in order, nobody is left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys

import pytest

from tests.boot.conftest import Instance, alive, until

pytestmark = pytest.mark.once


@pytest.mark.parametrize("role", ["web", "worker"])
def test_who_is_killed_comes_back(instance: Instance, role: str) -> None:
    instance.start().ready()
    for _ in range(2):
        before = [note["pid"] for note in instance.notes(role, "start")]
        os.kill(before[-1], signal.SIGKILL)
        until(f"another {role}", lambda old=before: len(instance.notes(role, "start")) > len(old))
        assert not any(map(alive, before))
    assert f"{role} stopped (killed by SIGKILL), starting it again" in instance.said()
    assert instance.serves()


def test_the_port_stays_open_while_web_is_away(instance: Instance) -> None:
    web = instance.start().ready().pid("web")
    os.kill(web, signal.SIGKILL)
    until("its death", lambda: instance.pid("web") != web)
    assert instance.serves()  # waits in the queue of the listening socket, is never refused


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_web_before_the_worker(instance: Instance, number: int) -> None:
    instance.start().ready()
    web, worker = instance.pid("web"), instance.pid("worker")
    instance.signal(number)
    assert instance.ended() == 0
    lines = instance.journal.read_text()
    assert lines.index(f'"end", "pid": {web}') < lines.index(f'"SIGTERM", "pid": {worker}')
    assert lines.index(f'"SIGTERM", "pid": {worker}') < lines.index(f'"end", "pid": {worker}')
    assert not instance.serves()
    assert not (instance.data / "run" / "supervisor.json").exists()


def test_one_that_will_not_stop_is_ended(instance: Instance) -> None:
    instance.behave("worker", "stubborn")
    instance.start(grace=2.0).ready()
    worker = instance.pid("worker")
    assert instance.stop() == 0
    assert "worker did not stop in time and was ended" in instance.said()
    assert not alive(worker)


def test_a_second_signal_ends_it_at_once(instance: Instance) -> None:
    instance.behave("web", "stubborn")
    instance.start(grace=600.0).ready()
    instance.signal(signal.SIGTERM)
    until("the first signal to arrive", lambda: instance.notes("web", "SIGTERM"))

    def insist() -> bool:
        if instance.running():
            instance.signal(signal.SIGTERM)
        return not instance.running()

    until("its end", insist)
    assert instance.ended() == 0
    assert not alive(instance.notes("web", "start")[0]["pid"])


def test_readiness_is_withdrawn_before_the_port_closes(instance: Instance) -> None:
    instance.start(drain=600.0).ready()
    instance.signal(signal.SIGTERM)
    until("the drain", (instance.data / "run" / "draining").exists)
    assert instance.serves()
    until("its end", lambda: instance.signal(signal.SIGTERM) or not instance.running())
    assert not (instance.data / "run" / "draining").exists()


def test_stopped_while_starting(instance: Instance) -> None:
    instance.behave("web", "hang")
    instance.start(grace=2.0)
    web = until("a child", lambda: instance.notes("web", "start"))[0]["pid"]
    assert instance.stop() == 0
    assert "Traceback" not in instance.said()
    assert "ready" not in instance.said()
    assert not alive(web)


def test_nobody_outlives_a_killed_supervisor(instance: Instance) -> None:
    instance.start(direct=False).ready()
    left = [
        instance.pid(role)
        for role in ("web", "worker", *(["redis"] if "embedded" in instance.said() else []))
    ]
    instance.signal(signal.SIGKILL)
    instance.ended()
    until("the end of all children", lambda: not any(map(alive, left)))


def test_it_starts_again_after_having_been_killed(instance: Instance) -> None:
    instance.behave("worker", "stubborn")  # still there when the next one starts
    instance.start().ready()
    stubborn = instance.pid("worker")
    instance.signal(signal.SIGKILL)
    instance.ended()
    assert alive(stubborn)
    instance.behave("worker", "")
    instance.output.unlink()
    instance.start().ready()
    assert instance.serves()
    assert not alive(stubborn)


# Runs a command with a terminal of its own, and closes that when the file named first is there.
IN_A_WINDOW = """
import os, pathlib, pty, sys, time
pid, terminal = pty.fork()
if not pid:
    os.execv(sys.argv[2], sys.argv[2:])
while not pathlib.Path(sys.argv[1]).exists():
    try:
        os.set_blocking(terminal, False)
        os.write(1, os.read(terminal, 4096))
    except OSError:
        time.sleep(0.02)
os.close(terminal)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


def test_closing_the_window_stops_it(instance: Instance) -> None:
    window = [sys.executable, "-c", IN_A_WINDOW, str(instance.directory / "close")]
    instance.start(prefix=window)
    until("an instance that serves", lambda: instance.notes("worker", "start") and instance.serves())
    left = instance.pid("web"), instance.pid("worker")
    (instance.directory / "close").touch()
    assert instance.ended() == 0
    assert not any(map(alive, left))


def test_one_that_was_detached_stays_when_the_window_closes(instance: Instance) -> None:
    detached = [shutil.which("sh") or "", "-c", 'trap "" HUP; exec "$@"', "sh"]  # what nohup does
    instance.start(prefix=[sys.executable, "-c", IN_A_WINDOW, str(instance.directory / "close"), *detached])
    until("an instance that serves", lambda: instance.notes("worker", "start") and instance.serves())
    supervisor = json.loads((instance.data / "run" / "supervisor.json").read_text())["pid"]
    (instance.directory / "close").touch()
    os.kill(supervisor, signal.SIGHUP)
    os.kill(instance.pid("worker"), signal.SIGKILL)
    until("another worker, from one that did not stop", lambda: len(instance.notes("worker", "start")) == 2)
    assert instance.serves()
    os.kill(supervisor, signal.SIGTERM)
    assert instance.ended() == 0
