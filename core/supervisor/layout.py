"""What must hold before anything starts: a directory of our own, nobody else at work there, a free port."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from core.supervisor.child import signal_group
from core.supervisor.settings import Settings, StartError

_PRIVATE = ("run", "secrets", "redis")


def make_directories(data_dir: Path) -> None:
    """Create the data directory and its private parts (0700), and prove that they can be written to."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in _PRIVATE:
            (data_dir / name).mkdir(mode=0o700, exist_ok=True)
            (data_dir / name).chmod(0o700)
        trial = data_dir / "run" / f".writable-{os.getpid()}"
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise StartError(
            f"the data directory {data_dir} cannot be written to ({error.strerror}): "
            "let this user write there, or choose another with JOBSTEAD_DATA=/path/to/data."
        ) from None


def lock(settings: Settings) -> int:
    """Become the one supervisor of this data directory. The kernel frees the lock when we die, however."""
    descriptor = os.open(settings.run_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        other = read_state(settings)
        where = (
            f", process {other['pid']} at {other['address']}" if {"pid", "address"} <= other.keys() else ""
        )
        raise StartError(
            f"an instance already runs on {settings.data_dir}{where}: "
            "use it, stop it first, or choose another directory with JOBSTEAD_DATA=/path/to/data."
        ) from None
    return descriptor


def listen(settings: Settings) -> socket.socket:
    """The listening socket, kept here for as long as we live: a web process that dies leaves it open."""
    port, variable = settings.port, "choose another with PORT="
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        if number == errno.EADDRINUSE:
            told = f"port {port} is in use by another program: stop that one, or {variable}{port + 1}."
        elif number == errno.EACCES:
            told = f"port {port} may not be opened by this user: {variable}5000."
        else:
            told = (
                f"cannot listen on {settings.host}:{port} ({error}): "
                "set server.host and server.port to an address of this machine."
            )
        raise StartError(told) from None
    return listener


def read_state(settings: Settings) -> dict[str, Any]:
    """What the last supervisor wrote about itself; empty when there is nothing readable."""
    try:
        state = json.loads((settings.run_dir / "supervisor.json").read_text())
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(settings: Settings, children: dict[str, int]) -> None:
    """Say who runs here, in one atomic step. ``children`` maps names to process ids."""
    state = {
        "pid": os.getpid(),
        "address": settings.address,
        "children": {name: {"pid": pid, "born": _born(pid)} for name, pid in children.items()},
    }
    write_json(settings.run_dir / "supervisor.json", state)


def write_json(path: Path, value: object) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(json.dumps(value))
    fresh.replace(path)


def end_leftovers(settings: Settings, patience: float = 3.0) -> None:
    """End children of a supervisor that was killed: they are told to stop, and whoever stays is killed."""
    children = read_state(settings).get("children")
    known = children.values() if isinstance(children, dict) else ()
    left = [c["pid"] for c in known if isinstance(c, dict) and c.get("born") and _born(c["pid"]) == c["born"]]
    for pid in left:
        signal_group(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while left and time.monotonic() < until:
        time.sleep(0.05)
        left = [pid for pid in left if signal_group(pid, 0)]
    for pid in left:
        signal_group(pid, signal.SIGKILL)


def _born(pid: int) -> str | None:
    """When a process began, as the system writes it: an id alone may have been given to someone else."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]
    except (OSError, IndexError):
        pass
    if os.path.isdir("/proc/self"):
        return None
    told = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or None
