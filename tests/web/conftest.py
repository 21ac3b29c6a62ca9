"""A small server of its own: two organisations, a gate that believes ``X-As`` and ``X-Org``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import request
from flask.testing import FlaskClient
from sqlalchemy import Column, Table, Uuid

from core.access import Permissions, Principal, acting_as, enforce
from core.config import load
from core.context import organisation_id, within
from core.db import Database, metadata, uuid7
from core.errors import NotFound
from core.hooks import Hooks
from core.switch import Switch, active
from core.testing import Databases
from core.testing.databases import make_tables
from core.web import Server, ViewInfo, hold, init_app, refuse_undeclared, web
from tests.db.models import World
from tests.web import models, shelf


@dataclass
class Shelf:
    """The server and its clients."""

    app: Server
    world: World
    overrides: dict[UUID, dict[str, bool]]

    def client(self, organisation: str | None = "here", who: str | None = "user") -> FlaskClient:
        """A client acting for ``here``, ``there`` or no organisation, as ``who``."""
        client = self.app.test_client()
        said = {"HTTP_X_ORG": organisation, "HTTP_X_AS": who}
        client.environ_base.update({key: value for key, value in said.items() if value})
        return client


HERE, THERE = uuid7(), uuid7()


def lay_out(url: str) -> None:
    """Every table that is known and the two organisations, in an empty database."""
    organisations = metadata.tables.get("core_organisation")
    if organisations is None:
        organisations = Table("core_organisation", metadata, Column("id", Uuid, primary_key=True))
    make_tables(url)
    database = Database(url)
    with database.engine.begin() as connection:
        for identifier in (HERE, THERE):
            own = {"id": identifier, "name": "x", "slug": str(identifier), "kind": "team"}
            values = {name: value for name, value in own.items() if name in organisations.columns}
            connection.execute(organisations.insert(), values)
    database.dispose()


@pytest.fixture
def world(databases: Databases) -> Iterator[World]:
    with databases.migrated(models.__name__, lay_out) as url:
        world = World(Database(url), HERE, THERE)
        yield world
        world.database.dispose()


@pytest.fixture
def shelf_app(world: World, tmp_path: Path) -> Shelf:
    app = make_app(world.database, tmp_path)
    served = Shelf(app, world, {})
    app.extensions["jobstead.switch"].load = lambda organisation: served.overrides.get(organisation, {})

    def known(view: ViewInfo) -> None:
        role = request.headers.get("X-As")
        if role:
            hold(acting_as(Principal(kind="user", user_id=world.here, roles=frozenset({role}))))
        where = {"here": world.here, "there": world.there}.get(request.headers.get("X-Org", ""))
        if where is not None:
            hold(within(where))

    web(app).gates = (known, *web(app).gates)
    return served


def make_app(database: Database, data: Path, **environ: str) -> Server:
    """A server with the books on it; ``environ`` configures it."""
    file = data / "plugins.toml"
    file.touch()
    config = load(file, {"JOBSTEAD_DATA": str(data), "JOBSTEAD_ENV": "test", **environ})
    app = Server("shelf")
    permissions = Permissions()
    app.extensions.update(
        {
            "jobstead.config": config,
            "jobstead.db": database,
            "jobstead.redis": None,
            "jobstead.permissions": permissions,
            "jobstead.switch": Switch({"webtest": True, "webmisc": True}),
            "jobstead.hooks": Hooks(),
        }
    )
    init_app(app, config, gates=(_serving, _permitted))
    for verb in ("read", "write"):
        permissions.add(f"webtest.book.{verb}", plugin="webtest", summary=verb, roles=("user",))
    app.mount(shelf.blp, plugin="webtest")
    app.mount(shelf.blp_other, plugin="webmisc")
    refuse_undeclared(app)
    return app


def _serving(view: ViewInfo) -> None:
    if not active(view.plugin, organisation_id()):
        raise NotFound


def _permitted(view: ViewInfo) -> None:
    enforce(view.access)


@pytest.fixture
def here(shelf_app: Shelf) -> FlaskClient:
    return shelf_app.client("here")


@pytest.fixture
def there(shelf_app: Shelf) -> FlaskClient:
    return shelf_app.client("there")


def add(client: FlaskClient, title: str, **more: Any) -> dict[str, Any]:
    """Put a book on the client's shelf and give back what the server said."""
    answer = client.post("/api/v1/books", json={"title": title, **more})
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.get_json()
    return told
