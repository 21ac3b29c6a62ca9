"""What the supervisor is told, and how it talks to the person at the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class StartError(Exception):
    """The instance cannot start; the message is one sentence that says what to do."""


@dataclass(frozen=True)
class Settings:
    """One instance on this machine. Durations in seconds.

    ``redis_url`` is a server of the operator's; ``direct`` runs without any. ``environ`` is what children
    inherit; ``commands`` maps each role (see ``commands()``) to its argument list.
    """

    data_dir: Path
    host: str
    port: int
    commands: Mapping[str, Sequence[str]]
    root: Path
    public_url: str | None = None
    redis_url: str | None = None
    direct: bool = False
    grace: float = 30.0
    drain: float = 0.0
    probe_limit: float = 20.0
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def run_dir(self) -> Path:
        return self.data_dir / "run"

    @property
    def local(self) -> tuple[str, int]:
        """Where this machine reaches the web processes, whatever they are bound to."""
        return ({"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port)  # noqa: S104

    @property
    def address(self) -> str:
        """The address to tell people."""
        host, port = self.local
        return (self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}").rstrip("/")


def commands(root: Path) -> dict[str, list[str]]:
    """The processes of an instance: ``web`` and ``worker`` stay, the others run and end."""
    jobstead = [sys.executable, "-m", "core.cli"]
    return {
        "prepare": [*jobstead, "prepare"],
        "upgrade": [*jobstead, "db", "upgrade"],
        "probe": [*jobstead, "probe"],
        "web": [
            sys.executable,
            "-m",
            "gunicorn",
            "-c",
            str(root / "deploy" / "gunicorn.conf.py"),
            "wsgi:app",
        ],
        "worker": [*jobstead, "worker"],
    }


def say(text: str) -> None:
    """One calm line for the person at the terminal; a terminal that is gone is no reason to die."""
    with contextlib.suppress(OSError):
        print(f"jobstead: {text}", flush=True)
