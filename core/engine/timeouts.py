"""A limit on how long a function may run, nested inside RQ's own."""

from __future__ import annotations

import ctypes
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


class TimedOut(Exception):
    """A handler or job took longer than it may."""


class HandedBack(BaseException):
    """The process is told to stop and its grace is over: what is in hand goes back, untried."""


Arm = Callable[[float], None]


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise ``TimedOut`` inside the block after ``seconds``."""
    with watch() as arm:
        arm(seconds)
        yield


@contextmanager
def watch() -> Iterator[Arm]:
    """Gives ``arm(seconds)``, to be called before each of several things: ``TimedOut`` is raised
    in this thread when the last call is that long ago; ``arm(0)`` lifts the limit.

    By SIGALRM in the main thread, which also interrupts a system call; elsewhere by an
    exception the interpreter raises in the thread, at its next line of Python.
    """
    if threading.current_thread() is threading.main_thread():
        with _by_signal() as arm:
            yield arm
    else:
        watchdog = _Watchdog()
        try:
            yield watchdog.arm
        finally:
            watchdog.stop()


@contextmanager
def _by_signal() -> Iterator[Arm]:
    previous = signal.signal(signal.SIGALRM, _expire)
    began = time.monotonic()
    outer, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    try:
        yield _set_timer
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if outer:  # RQ's own alarm: it goes on where it stood
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 0.01))


_grace_ends = math.inf  # on the monotonic clock; of the process, as its signals are


def _expire(_signal: int, _frame: FrameType | None) -> None:
    if time.monotonic() >= _grace_ends:
        raise HandedBack
    raise TimedOut("took longer than it may")


def _set_timer(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _shorten()  # told to stop before the timer stood


def _shorten() -> None:
    """Let a timer that runs end with the grace; afterwards, so that a signal in between is not lost."""
    remaining, _ = signal.getitimer(signal.ITIMER_REAL)
    left = max(_grace_ends - time.monotonic(), 0.001)
    if remaining > left:
        signal.setitimer(signal.ITIMER_REAL, left)


class _Watchdog:
    """A thread that watches one other, started when first armed."""

    def __init__(self) -> None:
        self._watched = threading.get_ident()
        self._changed = threading.Condition()
        self._deadline = 0.0
        self._over = False
        self._thread: threading.Thread | None = None

    def arm(self, seconds: float) -> None:
        with self._changed:
            self._deadline = time.monotonic() + seconds if seconds else 0.0
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="engine-watchdog", daemon=True)
                self._thread.start()
            # no notify: a deadline that moves away is looked at when the old one comes

    def stop(self) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while not self._over:
                now = time.monotonic()
                if self._deadline and now >= self._deadline:
                    _raise_in(self._watched, TimedOut)
                    return
                self._changed.wait(self._deadline - now if self._deadline else 0.1)


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def hand_back_after(seconds: float) -> None:
    """From a signal handler in the main thread: what is in hand under ``limit``, or still begins,
    ends with ``HandedBack`` when the grace of ``seconds`` is over."""
    global _grace_ends
    _grace_ends = min(_grace_ends, time.monotonic() + seconds)
    if signal.getsignal(signal.SIGALRM) is _expire:  # else the alarm is RQ's, and nothing is in hand
        _shorten()
