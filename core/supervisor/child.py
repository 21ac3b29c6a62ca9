"""One child process in a group of its own: started again when it dies, never left behind when we die."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from core.supervisor.settings import say

_PR_SET_PDEATHSIG = 1
_STABLE = 30.0  # seconds a child must live before its earlier deaths are forgotten
_LONGEST_PAUSE = 4.0  # between a death and the next start, so that a return within 10 seconds stays possible


def _die_with_us() -> Callable[[], None] | None:
    """A function for the child, run between fork and exec: the kernel ends it when its supervisor is gone."""
    if not sys.platform.startswith("linux"):
        return None  # the next start ends what is left, see layout.end_leftovers
    libc = ctypes.CDLL(None)
    supervisor = os.getpid()

    def set_signal() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:  # it died before the line above
            os._exit(1)

    return set_signal


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    pass_fds: Sequence[int] = (),
    stdout: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a process that leads its own group: Ctrl-C at the terminal reaches us alone."""
    return subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        pass_fds=tuple(pass_fds),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        process_group=0,
        preexec_fn=_die_with_us(),
    )


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; false when nobody is left in it."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def describe(code: int) -> str:
    """How a process ended, in words."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


class Child:
    """A process that is wanted: ``tend()`` often, it does what is due. Times are ``time.monotonic()``."""

    def __init__(self, name: str, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self.name = name
        self.deaths = 0  # in a row, none of them asked for
        self.process: subprocess.Popen[bytes] | None = None
        self._start = start
        self._started = 0.0
        self._due = 0.0
        self._kill_at: float | None = None  # set while it was asked to stop
        self._orphans: list[tuple[int, float]] = []  # groups whose leader died, and when to end what is left

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    @property
    def stopping(self) -> bool:
        """Whether it was asked to go and has not gone yet."""
        return self._kill_at is not None

    def start(self) -> None:
        self.process = self._start()
        self._started = time.monotonic()
        self._kill_at = None

    def tend(self, grace: float) -> None:
        """Start it when it is due, notice its death, end what overstays ``grace`` seconds."""
        now = time.monotonic()
        self._orphans = [(group, until) for group, until in self._orphans if self._lingers(group, until, now)]
        if self.process is None:
            if now >= self._due:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            if self._kill_at is not None and now >= self._kill_at:
                signal_group(self.process.pid, signal.SIGKILL)
            elif self.deaths and now - self._started > _STABLE:
                self.deaths = 0
            return
        # Whoever it started is asked to go too; requests they are still answering may end.
        if signal_group(self.process.pid, signal.SIGTERM):
            self._orphans.append((self.process.pid, now + grace))
        self.process = None
        if self._kill_at is not None:  # we asked for it
            self._due = now
            return
        self.deaths += 1
        pause = min(0.25 * 2 ** (self.deaths - 1), _LONGEST_PAUSE)
        self._due = now + pause
        say(f"{self.name} stopped ({describe(code)}), starting it again")

    @staticmethod
    def _lingers(group: int, until: float, now: float) -> bool:
        if now >= until:
            signal_group(group, signal.SIGKILL)
            return False
        return signal_group(group, 0)

    def replace(self, grace: float) -> None:
        """Ask it to finish and go; ``tend()`` starts its successor. For a new configuration."""
        if self.process is not None and self.process.poll() is None:
            self._kill_at = time.monotonic() + grace
            self.signal(signal.SIGTERM)

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)

    def gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """End it and everyone it started, now."""
        if self.process is not None:
            signal_group(self.process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(2)
        for group, _ in self._orphans:
            signal_group(group, signal.SIGKILL)
        self._orphans = []
