"""Many at one door at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def crowd(*acts: Callable[[int], T], size: int = 24) -> list[T]:
    """What ``size`` threads get who do ``acts`` in turn, each with its number, all at the same moment.

    In the order of the numbers. Fails where any of them raises, naming what was raised.
    """
    start = threading.Barrier(size)
    answers: dict[int, T] = {}
    faults: list[BaseException] = []

    def one(number: int) -> None:
        try:
            start.wait()
            answers[number] = acts[number % len(acts)](number)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults  # noqa: S101  the kit's way to fail a test
    return [answers[number] for number in range(size)]
