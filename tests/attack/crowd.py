"""Many clients at one door at the same moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from werkzeug.test import TestResponse

from core.testing import crowd as crowd
from tests.identity.world import World

SIZE = 24


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
