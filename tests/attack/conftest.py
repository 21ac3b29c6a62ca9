"""The scene, set once a module; attacks that change it for those who come after have one of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from core.testing import Databases, Instance
from tests.attack.scene import Scene, instance_of, scene_of


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Scene]:
    """A full house, see ``Scene``."""
    with scene_of(tmp_path_factory.mktemp("scene"), databases) as made:
        yield made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Instance]:
    """An instance with every bundled plugin on and nobody in it yet."""
    with instance_of(tmp_path_factory.mktemp("house"), databases) as made:
        yield made
