"""A new configuration for a running instance: tried in a throw-away child, taken over only when it boots."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from core.supervisor.child import describe, signal_group

Spawn = Callable[[str], "subprocess.Popen[bytes]"]


class Watch:
    """Notices when a file is written, by what the file system says of it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._now()

    def _now(self) -> tuple[int, int, int] | None:
        try:
            about = os.stat(self._path)
        except OSError:
            return None
        return about.st_mtime_ns, about.st_size, about.st_ino

    def changed(self) -> bool:
        """True once for each change since the last look; a file that vanished is no change."""
        now = self._now()
        before, self._seen = self._seen, now
        return now is not None and now != before


class Trial:
    """Runs commands in order, each with a limit in seconds; the first that fails or hangs ends it."""

    def __init__(self, steps: Sequence[tuple[str, float]], spawn: Spawn) -> None:
        self._steps = list(steps)
        self._spawn = spawn
        self._process: subprocess.Popen[bytes] | None = None
        self._until = 0.0
        self.failure: str | None = None

    def finished(self) -> bool:
        """Do what is due; true when all passed or one failed (then ``failure`` says why)."""
        if self._process is None:
            if not self._steps or self.failure:
                return True
            self._process = self._spawn(self._steps[0][0])
            self._until = time.monotonic() + self._steps[0][1]
            return False
        code = self._process.poll()
        name, limit = self._steps[0]
        if code is None:
            if time.monotonic() < self._until:
                return False
            self.failure = f"{name} did not finish within {limit:g} seconds"
        elif code != 0:
            self.failure = f"{name} ended with {describe(code)}"
        self.abandon()
        self._steps.pop(0)
        return self.failure is not None or not self._steps

    def abandon(self) -> None:
        """End what is running, with everything it started."""
        if self._process is not None:
            signal_group(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
