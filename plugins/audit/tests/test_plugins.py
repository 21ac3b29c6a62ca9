"""Plugins say of their events what may be kept; nobody names them here."""

from __future__ import annotations

import importlib
from uuid import UUID, uuid4

import pytest

from core.api import acting_for, begin, emit
from core.testing import Instance

from .conftest import World

MANIFEST = """
name = "zeta"
version = "1.0"
api = ">=1,<2"
summary = "Comes after audit."
"""
PLUGIN = """
from dataclasses import dataclass
from datetime import datetime, UTC

from core.api import Event, hookimpl


@dataclass(frozen=True)
class Shared(Event, type="zeta.shared", target=("thing", "thing"), audited=("roles", "at")):
    thing: str
    roles: list[str]
    note: str
    at: datetime = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Looked(Event, type="zeta.looked"):
    thing: str


@hookimpl
def register_events():
    return [Shared, Looked]
"""


@pytest.fixture
def zeta(instance: Instance) -> World:
    folder = instance.home / "more" / "zeta"
    folder.mkdir(parents=True)
    (folder / "plugin.toml").write_text(MANIFEST)
    (folder / "__init__.py").write_text(PLUGIN)
    instance.path.append(folder.parent)
    return World(instance.plugins("audit", "zeta"))


def test_what_a_plugin_declares_is_kept_and_nothing_else(zeta: World) -> None:
    module = importlib.import_module("plugins.zeta")
    where = [UUID(zeta.team(person)["id"]) for person in (zeta.ada, zeta.bob)]
    name = uuid4().hex * 4  # longer than there is room for
    with zeta.instance.app.app_context(), begin():
        with acting_for(where[0]):
            emit(module.Shared(thing=name, roles=["a", "é\n"], note="whisper"))
            emit(module.Looked(thing=name))
        with acting_for(where[1]):
            emit(module.Shared(thing="x", roles=[], note="whisper"))
    zeta.instance.drain()
    mine, theirs = (zeta.rows(organisation)[1:] for organisation in where)
    assert [(row.action, row.target_type, row.target_id) for row in mine] == [
        ("zeta.shared", "thing", name[:100])
    ]
    assert mine[0].data == '{"at":"2030-01-01T00:00:00Z","roles":["a","\\u00e9\\n"]}'
    assert (mine[0].actor, mine[0].ip, mine[0].request_id) == ("anonymous", None, None)
    assert [row.target_id for row in theirs] == ["x"]
    assert zeta.verify()[0] == 0
    shown = zeta.told(zeta.ada, **{"X-Org": str(where[0])})[0]
    assert shown["data"] == {"at": "2030-01-01T00:00:00Z", "roles": ["a", "é\n"]}
