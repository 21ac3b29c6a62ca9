"""For all tests: in which order they run."""

from __future__ import annotations

import pytest

_SLOW = ("tests/e2e/", "tests/boot/", "tests/engine/test_processes.py")
"""Where tests start processes and wait for them: first, so that none is left for one core to end with."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(_SLOW))
