"""Many clients at one door at the same moment."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from werkzeug.test import TestResponse

from tests.identity.world import World

SIZE = 24


def crowd(*acts: Callable[[int], TestResponse], size: int = SIZE) -> list[TestResponse]:
    """What ``size`` clients get, who do ``acts`` in turn, all at the same moment; in the clients' order."""
    start = threading.Barrier(size)
    answers: list[TestResponse | None] = [None] * size
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
    assert not faults, faults
    return [answer for answer in answers if answer is not None]


def either(world: World, twin: World, act: Callable[[World, int], TestResponse]) -> list[TestResponse]:
    """Half of the crowd at each of two processes."""
    return crowd(lambda n: act(world, n), lambda n: act(twin, n))


def statuses(answers: Iterable[TestResponse]) -> Counter[int]:
    """How often each status came. A fault of the server fails here."""
    counted = Counter(answer.status_code for answer in answers)
    assert all(status < 500 for status in counted), counted
    return counted


def won(answers: Sequence[TestResponse]) -> list[TestResponse]:
    """Those that were served."""
    statuses(answers)
    return [answer for answer in answers if answer.status_code < 300]
