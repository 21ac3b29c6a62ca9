"""Starting: what is prepared, and one sentence where it cannot be."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.boot.conftest import Instance, alive

pytestmark = pytest.mark.once


def refusal(instance: Instance) -> str:
    """What was said by a supervisor that must not start."""
    assert instance.ended() == 1
    said = instance.said()
    assert "Traceback" not in said
    return said


def test_it_tells_address_data_and_the_first_admins_link(instance: Instance) -> None:
    said = instance.start().ready().said()
    assert f"http://127.0.0.1:{instance.port}\n" in said
    assert str(instance.data) in said
    assert f"http://127.0.0.1:{instance.port}/setup?token=abc (works once)" in said
    assert instance.serves()


def test_directories_are_private(instance: Instance) -> None:
    instance.start().ready()
    for name in ("", "run", "secrets", "redis"):
        assert stat.S_IMODE((instance.data / name).stat().st_mode) == 0o700


def test_a_port_in_use_is_one_sentence(instance: Instance) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", instance.port))
        other.listen()
        said = refusal(instance.start())
    assert f"port {instance.port} is in use by another program" in said
    assert f"PORT={instance.port + 1}" in said
    assert len(said.splitlines()) == 1


def test_an_address_of_another_machine_is_one_sentence(instance: Instance) -> None:
    said = refusal(instance.start(host="192.0.2.1"))
    assert "cannot listen on 192.0.2.1" in said
    assert len(said.splitlines()) == 1


def test_a_directory_that_cannot_be_made_is_one_sentence(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = refusal(instance.start(data_dir=str(tmp_path / "file" / "data")))
    assert "cannot be written to" in said
    assert "JOBSTEAD_DATA=" in said
    assert len(said.splitlines()) == 1


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_directory_without_the_right_to_write_is_one_sentence(instance: Instance) -> None:
    instance.data.mkdir(mode=0o500)
    said = refusal(instance.start())
    assert "Permission denied" in said


def test_a_second_instance_on_the_same_data_is_refused(instance: Instance, tmp_path: Path) -> None:
    instance.start().ready()
    second = Instance(tmp_path)
    second.output = tmp_path / "second"
    said = refusal(second.start())
    assert "an instance already runs" in said
    assert f"http://127.0.0.1:{instance.port}" in said
    assert instance.serves()


def test_a_database_that_cannot_be_prepared_ends_the_start(instance: Instance) -> None:
    instance.behave("prepare", "exit")
    said = refusal(instance.start())
    assert "the database could not be prepared" in said
    assert not instance.notes("web", "start")


def test_a_second_start_does_not_wait_for_the_database_to_be_looked_at(instance: Instance) -> None:
    instance.start().ready()
    instance.stop()
    instance.start().ready()
    (web, again), (first, second) = instance.notes("web", "start"), instance.notes("prepare", "start")
    lines = instance.journal.read_text()
    assert lines.index(_started(first)) < lines.index(_started(web))
    assert again["pid"] == instance.pid("web")
    assert second["pid"] != first["pid"]
    assert "starting web, and looking after the database" in instance.said()


def test_web_that_was_too_early_is_started_again(instance: Instance) -> None:
    instance.start().ready()
    instance.stop()
    instance.behave("prepare", "apply")
    instance.start().ready()
    assert instance.pid("web") == instance.notes("web", "start")[-1]["pid"]
    assert len(instance.notes("web", "start")) == 3
    assert instance.serves()


def test_what_failed_is_prepared_first_the_next_time(instance: Instance) -> None:
    instance.start().ready()
    instance.stop()
    instance.behave("prepare", "exit")
    assert "the database could not be prepared" in refusal(instance.start())
    assert not alive(instance.notes("web", "start")[-1]["pid"])
    seen = len(instance.notes("web", "start"))
    assert "the database could not be prepared" in refusal(instance.start())
    assert len(instance.notes("web", "start")) == seen


def _started(note: dict[str, Any]) -> str:
    return f'"what": "start", "pid": {note["pid"]}'


def test_web_that_never_comes_up_ends_the_start(instance: Instance) -> None:
    instance.behave("web", "exit")
    said = refusal(instance.start())
    assert "web stopped 3 times while starting" in said
    assert not instance.notes("worker", "start")


def test_files_of_an_earlier_life_do_not_matter(instance: Instance) -> None:
    run = instance.data / "run"
    run.mkdir(parents=True)
    (run / "supervisor.json").write_text(
        '{"pid": 1, "children": {"web": {"pid": 1, "born": "0"}, "worker": 5}}'
    )
    (run / "redis.sock").write_text("")
    (run / "draining").write_text("")
    instance.start().ready()
    assert not (run / "draining").exists()
