"""What the outside asks of the supervisor, and a sleep that such a request ends."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable

_TICK = 0.2  # seconds between looks where nothing wakes us
# Seconds in which a repeated signal is the same wish: make passes on what its whole group got already.
_ECHO = 1.0


class Stopped(Exception):
    """A signal asked us to stop."""


class Signals:
    """SIGTERM and SIGINT stop, again they stop at once; SIGHUP reloads, or stops when the terminal closed."""

    def __init__(self) -> None:
        self.stopping = False
        self.at_once = False
        self.reload = False
        self._first = 0.0
        self._detached = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # started by nohup
        self._terminal = _has_terminal()
        self._wake_out, wake_in = os.pipe()
        os.set_blocking(self._wake_out, False)
        os.set_blocking(wake_in, False)
        signal.set_wakeup_fd(wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._hang_up)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # wakes pause()

    def _stop(self, number: int, frame: object) -> None:
        now = time.monotonic()
        if not self.stopping:
            self.stopping, self._first = True, now
        elif now - self._first > _ECHO:
            self.at_once = True

    def _hang_up(self, number: int, frame: object) -> None:
        if not self._terminal or _has_terminal():
            self.reload = True
        elif not self._detached:
            self._stop(number, frame)

    def pause(self, *descriptors: int) -> None:
        """Sleep a tick, less when a signal, a death or a descriptor wakes us. May raise ``Stopped``."""
        if not self.stopping:
            self._sleep(_TICK, *descriptors)
        if self.stopping:
            raise Stopped

    def wait(self, done: Callable[[], bool], until: float) -> bool:
        """While stopping: wait for ``done``; false when ``until`` (monotonic) passed or we must hurry."""
        while not done():
            if self.at_once or time.monotonic() >= until:
                return False
            self._sleep(0.05)
        return True

    def ignore(self) -> None:
        """For the last moments, in which the interpreter would let a late signal decide the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def _sleep(self, seconds: float, *descriptors: int) -> None:
        select.select([self._wake_out, *descriptors], [], [], seconds)
        try:
            while os.read(self._wake_out, 512):
                pass
        except BlockingIOError:
            pass


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
