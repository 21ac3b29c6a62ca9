"""The scene, set once a module; attacks that change it for those who come after have one of their own."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest

from core.auth import passwords
from core.orgs import invitation_token
from core.testing import Databases, Instance, Person
from tests.attack.scene import Scene, another_process, instance_of, scene_of
from tests.identity.world import World

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine a crowd's last one waits long for its turn to hash."""
    monkeypatch.setattr(passwords, "_PATIENCE", 120.0)


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


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    """An instance in which people do things through its doors, hardly a plugin beside core."""
    with instance_of(tmp_path_factory.mktemp("world"), databases, "notifications") as made:
        yield World(made.app)


@pytest.fixture(scope="module")
def twin(world: World) -> Iterator[World]:
    """The same instance in another process."""
    app = another_process(world.app)
    yield World(app)
    app.extensions["jobstead.db"].dispose()


@pytest.fixture
def email() -> str:
    """An address nobody has."""
    return f"somebody-{next(_numbers)}@example.org"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets five seconds pass for whatever counts them."""
    real, passed = time.monotonic, 0.0
    monkeypatch.setattr(time, "monotonic", lambda: real() + passed)

    def five_seconds() -> None:
        nonlocal passed
        passed += 5.0

    return five_seconds


@pytest.fixture(scope="module")
def allowed(scene: Scene) -> Person:
    """Somebody who gets as far as the views: superadmin, and owner of the victims' organisation."""
    person, slug = scene.root, scene.org["slug"]
    answer = scene.owner.post(f"/orgs/{slug}/invitations", {"email": person.email, "role": "admin"})
    assert answer.status_code == 201, answer.text
    with scene.app.app_context():
        token = invitation_token(UUID((answer.json or {})["id"]))
    assert person.post(f"/invitations/{token}/accept").status_code == 200
    answer = scene.owner.put(f"/orgs/{slug}/members/{person.id}", {"role": "owner"})
    assert answer.status_code == 200, answer.text
    return person
