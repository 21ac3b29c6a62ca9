"""A throw-away PostgreSQL server: quick, unsafe on purpose, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "200",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
}


def binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``, the newest version's; None where there is none."""
    found = shutil.which("initdb")
    if found and shutil.which("postgres"):
        return Path(found).resolve().parent
    packaged = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(packaged, key=lambda path: float(path.parent.name), default=None)


def plan(folder: Path) -> tuple[list[str], str]:
    """Make a cluster in ``folder``; returns the command that serves it and the URL of its administrator."""
    where = binaries()
    if where is None:
        raise RuntimeError("PostgreSQL is not installed")
    prefix = _as_somebody_else(folder)
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster = ["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"]
    subprocess.run(
        [*prefix, str(where / "initdb"), "-D", str(data), *cluster],
        check=True,
        capture_output=True,
        cwd="/",
    )
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    return [*prefix, str(where / "postgres"), "-D", str(data), *options], url


def answers(url: str) -> bool:
    """Whether the server accepts connections."""
    import psycopg

    try:
        psycopg.connect(url.replace("+psycopg", ""), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _as_somebody_else(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: what to put before its commands, with ``folder`` made theirs."""
    if os.getuid() != 0:
        return []
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    if shutil.which("setpriv"):
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]
    return ["runuser", "-u", user.pw_name, "--"]
