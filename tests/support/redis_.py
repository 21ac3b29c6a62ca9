"""A throw-away Redis server on a port of its own, with a password and a database for each test."""

from __future__ import annotations

import secrets
import shutil
import socket
from pathlib import Path
from urllib.parse import urlsplit

import redis


def executable() -> str | None:
    return shutil.which("redis-server") or shutil.which("valkey-server")


def plan(folder: Path) -> tuple[list[str], str]:
    """The command that serves, and the URL."""
    server = executable()
    if server is None:
        raise RuntimeError("no redis-server or valkey-server is installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    password = secrets.token_urlsafe(16)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "requirepass": password,
        "databases": "16384",
        "save": "",
        "appendonly": "no",
        "dir": str(folder),
    }
    command = [server, *(word for key, value in options.items() for word in (f"--{key}", value))]
    return command, f"redis://:{password}@127.0.0.1:{port}/0"


def answers(url: str) -> bool:
    """Whether the server answers."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def fresh_database(url: str) -> str:
    """The URL of the next database of the server, emptied. Database 0 holds the count."""
    with redis.Redis.from_url(url) as client:
        available = int(client.config_get("databases")["databases"])
        number = 1 + client.incr("jobstead-test-databases") % (available - 1)
    own = urlsplit(url)._replace(path=f"/{number}").geturl()
    with redis.Redis.from_url(own) as client:
        client.flushdb()
    return own
