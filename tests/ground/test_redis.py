"""Redis answers, is away, or does not answer at all: nobody waits long."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from redis.exceptions import ConnectionError, TimeoutError

from core.config import ConfigError
from core.redis import CONNECT_TIMEOUT, OPERATION_TIMEOUT, available, connect, redis

from .conftest import Configure

ELSEWHERE = os.environ.get("JOBSTEAD_TEST_REDIS_URL")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A real server: the one of ``JOBSTEAD_TEST_REDIS_URL``, else one of our own on a socket."""
    if ELSEWHERE:
        yield ELSEWHERE
        return
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if server is None:
        pytest.skip("no redis-server here and JOBSTEAD_TEST_REDIS_URL is not set")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "redis.sock"
        options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--dir", folder]
        with subprocess.Popen([server, *options], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if "ready to accept connections" in line.lower():
                    break
            yield f"unix://{path}"
            process.terminate()
            process.communicate()


@pytest.fixture
def silent() -> Iterator[str]:
    """Somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_answers_is_available(configure: Configure, url: str) -> None:
    client = connect(configure(REDIS_URL=url))
    assert client is not None
    with client:
        assert available(client)
        key = f"jobstead-test-{os.getpid()}"
        client.set(key, "x", ex=10)
        assert client.getdel(key) == b"x"


def test_a_connection_the_server_closed_is_replaced_without_a_word(configure: Configure, url: str) -> None:
    client = connect(configure(REDIS_URL=url))
    other = connect(configure(REDIS_URL=url))
    assert client is not None
    assert other is not None
    with client, other:
        other.client_kill_filter(_id=client.client_id())
        assert client.ping()


def test_without_redis_there_is_no_client(configure: Configure) -> None:
    assert connect(configure()) is None
    assert connect(configure(REDIS_URL="redis://h", JOBSTEAD_REDIS__MODE="direct")) is None
    assert not available(None)


def test_a_server_that_is_away_is_not_available(configure: Configure, tmp_path: Path) -> None:
    client = connect(configure(REDIS_URL=f"unix://{tmp_path}/nobody.sock"))
    assert client is not None
    assert not available(client)
    with pytest.raises(ConnectionError):
        client.get("x")


def test_a_server_that_says_nothing_is_not_waited_for_and_then_left_alone(
    configure: Configure, silent: str
) -> None:
    client = connect(configure(REDIS_URL=silent))
    assert client is not None
    options = client.connection_pool.connection_kwargs
    assert options["socket_connect_timeout"] == CONNECT_TIMEOUT == 0.5
    assert options["socket_timeout"] == OPERATION_TIMEOUT == 1.0
    with pytest.raises(TimeoutError):
        client.get("x")
    with pytest.raises(ConnectionError, match="left alone"):
        client.get("x")
    assert not available(client)


def test_a_url_that_is_none_is_told_without_showing_it(configure: Configure) -> None:
    with pytest.raises(ConfigError, match="must begin with redis://") as refused:
        connect(configure(REDIS_URL="http://:sesame@h"))
    assert "sesame" not in str(refused.value)


def test_the_app_knows_its_client(configure: Configure) -> None:
    app = Flask(__name__)
    client = app.extensions["jobstead.redis"] = connect(configure(REDIS_URL="redis://127.0.0.1"))
    with app.app_context():
        assert redis() is client
