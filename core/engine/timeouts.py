"""A limit on how long a function may run, nested inside RQ's own."""

from __future__ import annotations

import ctypes
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimedOut(Exception):
    """A handler or job took longer than it may."""


class HandedBack(BaseException):
    """The process is told to stop and its grace is over: what is in hand goes back, untried."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise ``TimedOut`` inside the block after ``seconds``.

    By SIGALRM in the main thread, which also interrupts a system call; elsewhere by an
    exception the interpreter raises in the thread, at its next line of Python.
    """
    if threading.current_thread() is threading.main_thread():
        with _by_signal(seconds):
            yield
    else:
        with _by_thread(seconds):
            yield


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise TimedOut(f"took longer than {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, expire)
    began = time.monotonic()
    outer, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
        if outer:  # RQ's own alarm: it goes on where it stood
            signal.setitimer(signal.ITIMER_REAL, max(outer - (time.monotonic() - began), 0.01))


@contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    thread = threading.get_ident()
    lock = threading.Lock()
    over = False

    def expire() -> None:
        with lock:
            if not over:
                _raise_in(thread, TimedOut)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()


def _raise_in(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def hand_back_after(seconds: float) -> None:
    """From a signal handler in the main thread: let the block under ``limit`` end with ``HandedBack``."""
    if signal.getitimer(signal.ITIMER_REAL)[0] == 0:
        return  # nothing is in hand

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise HandedBack

    signal.signal(signal.SIGALRM, expire)
    remaining = signal.getitimer(signal.ITIMER_REAL)[0]
    signal.setitimer(signal.ITIMER_REAL, min(seconds, remaining or seconds))
