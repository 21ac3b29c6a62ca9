"""Views that cost much share three of four threads of a process, so that the others find one free."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from core.errors import Unavailable

from .server import hold
from .state import COSTLY, ViewInfo, web

View = TypeVar("View", bound=Callable[..., Any])


def costly(view: View) -> View:
    """Say that this view takes long, by design: while too many of these run it answers 503 ``busy``."""
    setattr(view, COSTLY, True)
    return view


def room_of(threads: int) -> threading.BoundedSemaphore:
    """Places for costly views in a process with so many ``threads``; one for a single one."""
    return threading.BoundedSemaphore(max(1, threads - max(1, threads // 4)))


def take_place(view: ViewInfo) -> None:
    """Gate: a costly view needs a place until its answer is ready. Raises ``Unavailable``."""
    if view.costly:
        hold(_place(web().room))


@contextmanager
def _place(room: threading.BoundedSemaphore) -> Iterator[None]:
    if not room.acquire(blocking=False):
        raise Unavailable("Too many people are signing in. Try again shortly.", code="busy")
    try:
        yield
    finally:
        room.release()
