"""A real app on a real database, core alone, and people to act in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.auth import auth, keys, passwords
from core.testing import Databases
from core.testing.instance import MASTER_KEY
from core.web import Server
from tests.identity.world import World, make_app, make_tables


@pytest.fixture(autouse=True)
def quick_and_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smaller signing keys, for making one takes longer than most tests; and on a busy machine a
    crowd's last one waits long for its turn to hash."""
    monkeypatch.setattr(keys, "BITS", 2048)
    monkeypatch.setattr(passwords, "_PATIENCE", 120.0)


@pytest.fixture
def make(tmp_path: Path, databases: Databases) -> Iterator[Callable[..., Server]]:
    """Makes apps that share a database and a data directory, as processes of one instance do."""
    made: list[Server] = []
    with databases.migrated("core's tables", make_tables) as url:

        def one(**environ: str) -> Server:
            made.append(make_app(tmp_path, url, environ))
            return made[-1]

        yield one
        for app in made:
            app.extensions["jobstead.db"].dispose()


@pytest.fixture(scope="session")
def house(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> Iterator[tuple[Server, Callable[[], None]]]:
    """One app for all who need nothing special of it, and how to put its rows back to the first ones."""
    home = tmp_path_factory.mktemp("house")
    environ = {"JOBSTEAD_LIMITS_SCALE": "100000", "ENCRYPTION_KEY": MASTER_KEY}

    def prepare(url: str) -> None:
        make_tables(url)
        app = make_app(home, url, environ)
        with app.app_context():
            auth(app).keys.active()
        app.extensions["jobstead.db"].dispose()

    with databases.renewed("core's tables and a signing key", prepare) as (url, renew):
        app = make_app(home, url, environ)
        database = app.extensions["jobstead.db"]

        def fresh() -> None:
            database.dispose()
            renew()
            auth(app).standings.forget()
            auth(app).keys.reread()
            app.extensions["jobstead.roles"].forget()

        yield app, fresh
        database.dispose()


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """An app without anybody in it; where the test also makes others, they share its database."""
    if "make" in request.fixturenames:
        return World(request.getfixturevalue("make")(JOBSTEAD_LIMITS_SCALE="100000"))
    app, fresh = request.getfixturevalue("house")
    fresh()
    return World(app)


@pytest.fixture
def strict(make: Callable[..., Server]) -> World:
    """The same with the limits on mail addresses as they are shipped; those on networks have tests of
    their own."""
    networks = dict.fromkeys(("auth.login", "auth.register", "auth.*", "auth.mail", "auth.password"), "off")
    return World(make(JOBSTEAD_LIMITS_SCALE="1", JOBSTEAD_LIMITS__POLICIES=json.dumps(networks)))
