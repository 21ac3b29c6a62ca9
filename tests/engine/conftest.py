"""Worlds: without Redis, with one that all tests share, and with one of the test's own that it may kill."""

from __future__ import annotations

import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError

from core.testing import Databases
from tests.engine.world import World, lay_out, make_app
from tests.support.servers import redis_database


@pytest.fixture
def laid_out(databases: Databases) -> Iterator[str]:
    """The URL of a database with the tables and two organisations."""
    with databases.migrated(__name__, lay_out) as url:
        yield url


@pytest.fixture
def world(laid_out: str, tmp_path: Path) -> Iterator[World]:
    """No Redis; a test does the work itself by ``drain()``."""
    yield from _world(laid_out, None, tmp_path)


@pytest.fixture
def with_redis(laid_out: str, tmp_path: Path) -> Iterator[World]:
    """With a Redis database of its own."""
    url = redis_database()
    if url is None:
        pytest.skip("no redis-server on this machine")
    yield from _world(laid_out, url, tmp_path)


@pytest.fixture
def mortal(laid_out: str, tmp_path: Path, own_redis: OwnRedis) -> Iterator[World]:
    """With a Redis server that the test may wipe and kill."""
    yield from _world(laid_out, own_redis.url, tmp_path)


def _world(database: str, redis: str | None, folder: Path) -> Iterator[World]:
    world = World(make_app(database, redis, folder), database, redis, folder)
    try:
        yield world
    finally:
        world.close()


class OwnRedis:
    """A server on a unix socket that keeps nothing."""

    def __init__(self, folder: Path, binary: str) -> None:
        self._socket = folder / "redis.sock"
        self._binary = binary
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        options = ["--port", "0", "--unixsocket", str(self._socket), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen([self._binary, *options], stdout=subprocess.DEVNULL)
        with Redis.from_url(self.url) as client:
            for _ in range(200):
                try:
                    client.ping()
                    return
                except RedisError:
                    time.sleep(0.05)
        raise AssertionError("redis-server did not come up")

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        pytest.skip("no redis-server on this machine")
    with tempfile.TemporaryDirectory() as folder:  # a unix socket's path must be short
        server = OwnRedis(Path(folder), binary)
        server.start()
        yield server
        server.kill()
