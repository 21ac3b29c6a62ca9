"""An instance with a plugin that has things to tell, and two people in organisations of their own."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from core.api import acting_for, begin, emit
from core.testing import Instance, Person

MANIFEST = """
name = "teller"
version = "1.0"
api = ">=1,<2"
summary = "Has things to tell."
"""
PLUGIN = """
from dataclasses import dataclass
from uuid import UUID

from core.api import Event, hookimpl

MOOD = {"broken": False}


@dataclass(frozen=True)
class Told(Event, type="teller.told", version=1):
    user_id: UUID
    key: str


def render(event):
    if MOOD["broken"]:
        raise RuntimeError("not now")
    if event.key == "nothing":
        return None
    return {"user_id": event.user_id, "title": f"About {event.key}", "body": "It is so.",
            "data": {"key": event.key}, "key": event.key}


@hookimpl
def register_events():
    return [Told]


@hookimpl(optionalhook=True)
def notification_types():
    return [{"event": "teller.told", "type": "news", "summary": "News", "render": render}]
"""


@dataclass
class World:
    """Ada and Bob, who share nothing."""

    instance: Instance
    ada: Person
    bob: Person

    @property
    def teller(self) -> Any:
        """The plugin's module."""
        return importlib.import_module("plugins.teller")

    def happens(self, person: Person, *keys: str, organisation: str | None = None) -> None:
        """Facts about ``person`` in an organisation (their own by default), each handled before the next."""
        where = UUID(organisation or person.me["organisationId"])
        for key in keys:
            with self.instance.app.app_context(), begin(), acting_for(where):
                emit(self.teller.Told(user_id=person.id, key=key))
            self.instance.drain()


def inbox(person: Person, query: str = "", **headers: str) -> list[dict[str, Any]]:
    answer = person.get(f"/notifications{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return list((answer.json or {})["items"])


def keys(person: Person, query: str = "", **headers: str) -> list[str]:
    return [item["data"]["key"] for item in inbox(person, query, **headers)]


@pytest.fixture
def world(instance: Instance) -> World:
    folder = instance.home / "more" / "teller"
    folder.mkdir(parents=True)
    (folder / "plugin.toml").write_text(MANIFEST)
    (folder / "__init__.py").write_text(PLUGIN)
    instance.path.append(folder.parent)
    instance.plugins("notifications", "teller")
    return World(instance, instance.person("ada@example.com"), instance.person("bob@example.com"))
