"""The scene of the attacks: a full house, its rightful owners, and those who want in."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Table, Uuid, insert, inspect, select
from sqlalchemy.exc import DBAPIError
from werkzeug.test import TestResponse

from core.app import create_app
from core.auth import auth
from core.context import System, within
from core.db import begin, db, metadata, uuid7
from core.testing import Databases, Instance, Person
from core.web import Server
from tests.attack.bodies import sample
from tests.attack.operations import Operation, operations
from tests.attack.watch import Watch

BUNDLED = sorted(path.parent.name for path in (Path(__file__).parents[2] / "plugins").glob("*/plugin.toml"))
MARK = "hoard"
"""Stands in every text that belongs to the victims; nobody else may ever read it."""


@dataclass
class Scene:
    """An instance with every bundled plugin on, on a database of its own.

    ``owner`` owns the organisation ``org``, where ``admin``, ``member`` and ``viewer`` are what they
    are called; ``root`` is superadmin. ``outsider`` owns a personal organisation and nothing else.
    """

    instance: Instance
    watch: Watch = field(init=False, repr=False)
    people: dict[str, Person] = field(default_factory=dict)
    org: dict[str, Any] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    bare: list[str] = field(default_factory=list)
    """Tables in which the victims have no row: nobody could steal one in these tests."""
    _foreign: dict[str, list[str]] = field(default_factory=dict, repr=False)

    @property
    def app(self) -> Server:
        return self.instance.app

    @property
    def outsider(self) -> Person:
        return self.people["outsider"]

    @property
    def owner(self) -> Person:
        return self.people["owner"]

    @property
    def root(self) -> Person:
        return self.people["root"]

    def send(self, op: Operation, url: str, who: Person | None = None, **options: Any) -> TestResponse:
        """Do ``op`` at ``url``, with a body that fits it unless ``json`` or ``data`` is given."""
        headers = {**({"Authorization": f"Bearer {who.token}"} if who else {}), **options.pop("headers", {})}
        if op.body is not None and not {"json", "data"} & options.keys():
            options["json"] = sample(op.body)
        return self.app.test_client().open(url, method=op.method, headers=headers, **options)

    def own(self, who: Person) -> set[str]:
        """Ids of what is somebody's: themselves, their sessions, their organisations."""
        rows = self.watch.rows().items()
        mine = {_text(who.id)} | {_text(o["id"]) for o in who.me["organisations"] if o["kind"] == "personal"}
        return mine | {_text(r["id"]) for _, r in rows if "id" in r and mine & {_text(v) for v in r.values()}}

    def foreign_ids(self, who: Person) -> list[str]:
        """Ids of rows that had nothing to do with ``who`` when first asked, three of each table."""
        if who.email not in self._foreign:
            self._foreign[who.email] = self._foreign_ids(who)
        return self._foreign[who.email]

    def _foreign_ids(self, who: Person) -> list[str]:
        mine, found = self.own(who), defaultdict[str, list[str]](list)
        for (table, _), row in self.watch.rows().items():
            if _is_uuid(row.get("id")) and not mine & {_text(value) for value in row.values()}:
                found[table].append(str(UUID(str(row["id"]))))
        victims = [str(UUID(self.org["id"])), *(str(p.id) for p in self.people.values() if p is not who)]
        return sorted({*victims, *(identifier for some in found.values() for identifier in some[:3])})


@contextmanager
def instance_of(folder: Path, databases: Databases, *plugins: str, **environ: str) -> Iterator[Instance]:
    """An instance of a module, its passwords hashed quickly, thousands of requests left out of the log."""
    made = Instance(folder, databases).plugins(*(plugins or BUNDLED))
    made.environ |= {"JOBSTEAD_LOG__LEVEL": "error", **environ}
    try:
        hasten(made.app)
        yield made
    finally:
        made.close()


def hasten(app: Server) -> None:
    """Let passwords cost next to nothing."""
    passwords = auth(app).passwords
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    for made in (passwords, *getattr(passwords, "_known", ())):
        if hasattr(made, "_hasher"):
            made._hasher = quick
    passwords._dummy = quick.hash("nobody's")


def another_process(app: Server) -> Server:
    """A second app on the same database and data directory, which knows nothing of the first."""
    twin = create_app(app.extensions["jobstead.config"], environ={})
    hasten(twin)
    return twin


@contextmanager
def scene_of(folder: Path, databases: Databases) -> Iterator[Scene]:
    """The scene, set."""
    with instance_of(folder, databases) as instance:
        scene = Scene(instance)
        people = scene.people
        people["root"] = instance.person(f"root-{MARK}@example.org", role="superadmin")
        for role in ("owner", "admin", "member", "viewer"):
            people[role] = instance.person(f"{role}-{MARK}@example.org")
        people["outsider"] = instance.person("outsider@example.org")
        _found(scene)
        scene.operations = operations(scene.app)
        instance.drain()
        _fill(scene)
        instance.drain()
        scene.watch = Watch(scene.app.extensions["jobstead.config"].database.url)
        yield scene
        scene.watch.close()


def _found(scene: Scene) -> None:
    answer = scene.owner.post("/orgs", {"name": f"{MARK} Ltd", "slug": MARK})
    assert answer.status_code == 201, answer.text
    scene.org = dict(answer.json or {})
    member = metadata.tables["core_member"]
    for role in ("admin", "member", "viewer"):
        _insert(scene, member, user_id=scene.people[role].id, role=role)


def _fill(scene: Scene) -> None:
    """Create whatever the document says can be created, as those who may; then put a row into each table
    that is still without one of the victims'."""
    for number, op in enumerate(op for op in scene.operations if op.creates and not op.public):
        for who in (scene.owner, scene.root):
            url = op.url(**dict.fromkeys((name for name, _ in op.places), scene.org["slug"]))
            headers = {"X-Org": scene.org["slug"]} if who is scene.owner else {}
            scene.send(
                op, url, who, headers=headers, json=sample(op.body or {}, number, every=False, text=MARK)
            )
    there = inspect(scene.app.extensions["jobstead.db"].engine).get_table_names()
    for table in metadata.sorted_tables:  # among them those that other tests in this process declare
        if table.name in there and not _belongs(scene, table):
            try:
                _insert(scene, table)
            except (DBAPIError, LookupError) as fault:
                scene.bare.append(f"{table.name}: {type(fault).__name__}")


def _belongs(scene: Scene, table: Table) -> bool:
    """Whether there is a row of the victims' (or of the instance's) in ``table``."""
    statement = select(table).limit(1)
    if "organisation_id" in table.c:
        statement = statement.where(table.c.organisation_id == UUID(scene.org["id"]))
    if "user_id" in table.c:
        statement = statement.where(table.c.user_id != scene.outsider.id)
    with scene.app.app_context(), begin(write=False), within(System("look")):
        return db.session.execute(statement).first() is not None


def _insert(scene: Scene, table: Table, **values: Any) -> None:
    """A row with whatever each column takes. Raises ``LookupError`` where a row to point at is missing."""
    given: dict[str, Any] = {"organisation_id": UUID(scene.org["id"]), "user_id": scene.owner.id, **values}
    row = {column.name: given[column.name] for column in table.columns if column.name in given}
    with scene.app.app_context(), begin(), within(System("put in")):
        for column in table.columns:
            if column.name not in row and (not column.nullable or column.foreign_keys):
                row[column.name] = _value(column)
        db.session.execute(insert(table).values(**row))


def _value(column: Any) -> Any:
    if column.primary_key and isinstance(column.type, Uuid) and not column.foreign_keys:
        return uuid7()
    for key in column.foreign_keys:
        found = db.session.execute(select(key.column).limit(1)).scalar()
        if found is None and not column.nullable:
            raise LookupError(key.column)
        return found
    kind: Any = column.type.impl_instance if hasattr(column.type, "impl_instance") else column.type
    if kind.__class__.__name__ in ("JSON", "JSONB"):
        return {}
    python = kind.python_type
    if python is str:
        personal = "organisation_id" in column.table.c or "user_id" in column.table.c
        return (MARK if personal else "common")[: kind.length]
    made: dict[type[Any], Any] = {
        dt.datetime: dt.datetime.now(dt.UTC),
        UUID: uuid7(),
        bool: False,
        bytes: b"",
        dict: {},
        list: [],
    }
    return made.get(python, 0)


def _is_uuid(value: object) -> bool:
    return isinstance(value, UUID) or (isinstance(value, str) and len(value) in (32, 36) and _hex(value))


def _hex(value: str) -> bool:
    return len(value.replace("-", "")) == 32 and all(c in "0123456789abcdef-" for c in value)


def _text(value: object) -> str:
    return str(value).replace("-", "")


def assert_none(faults: list[str]) -> None:
    """Fail with all that was found, not with the first of it."""
    if faults:
        pytest.fail(f"{len(faults)} found:\n" + "\n".join(faults[:60]), pytrace=False)
