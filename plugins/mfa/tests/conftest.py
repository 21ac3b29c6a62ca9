"""One instance a module, and people of their own for each test."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
import time_machine
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import inspect
from werkzeug.test import TestResponse

from core.api import unscoped, utcnow
from core.testing import Databases, Instance, Person
from core.testing import crowd as at_once
from plugins.mfa.models import Factor

PASSWORD = "correct horse battery"
CROWD = 24


def code(secret: str, *, step: int = 0) -> str:
    """What an authenticator app shows, so many steps from now."""
    key = base64.b32decode(secret)
    return TOTP(key, 6, SHA1(), 30).generate(utcnow().timestamp() + 30 * step).decode()


@dataclass
class Somebody:
    """A person with a password and, once enrolled, an app and recovery codes."""

    site: Site
    person: Person
    secret: str = ""
    factor: str = ""
    recovery: list[str] = field(default_factory=list)

    def enroll(self, label: str = "") -> dict[str, Any]:
        answer = self.person.post("/auth/mfa/totp/enroll", {"label": label})
        assert answer.status_code == 201, answer.text
        return dict(answer.json or {})

    def protect(self) -> Somebody:
        """Have a second step: confirmed by the code of the step before, so that the present one is unused."""
        begun = self.enroll()
        self.secret, self.factor = begun["secret"], begun["factorId"]
        answer = self.person.post("/auth/mfa/totp/confirm", {"code": code(self.secret, step=-1)})
        assert answer.status_code == 200, answer.text
        self.recovery = (answer.json or {})["recoveryCodes"]
        return self

    def login(self, **more: Any) -> TestResponse:
        return self.site.post("/auth/login", {"email": self.person.email, "password": PASSWORD, **more})

    def ticket(self) -> str:
        return str((self.login().json or {})["ticket"])

    def verify(self, ticket: str | None = None, **shown: Any) -> TestResponse:
        """Take the second step, with the present code unless told otherwise."""
        shown = shown or {"code": code(self.secret)}
        return self.site.post("/auth/mfa/verify", {"ticket": ticket or self.ticket(), **shown})


@dataclass
class Site:
    """An instance with the plugin."""

    instance: Instance
    numbers: Iterator[int] = field(default_factory=count)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.instance.app.test_client().post(f"/api/v1{path}", json=json, **options)

    def somebody(self, role: str | None = None) -> Somebody:
        email = f"person{next(self.numbers)}@example.org"
        return Somebody(self, self.instance.person(email, role=role, password=PASSWORD))

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table, as an operator sees them."""
        database = self.instance.app.extensions["jobstead.db"]
        with self.instance.app.app_context(), unscoped("look"), database.engine.connect() as connection:
            found = Factor.metadata.tables[table]
            ordered = found.select().order_by(*found.primary_key)
            return [dict(row._mapping) for row in connection.execute(ordered)]

    def events(self, kind: str, who: Somebody) -> list[dict[str, Any]]:
        """What was told of somebody, the oldest first."""
        mine = str(who.person.id)
        told = [row for row in self.rows("core_event") if row["type"] == kind]
        return [row["payload"] for row in told if row["payload"].get("user_id") == mine]

    def everything_stored(self) -> str:
        """All rows of all tables, as text."""
        database = self.instance.app.extensions["jobstead.db"]
        there = set(inspect(database.engine).get_table_names()) & set(Factor.metadata.tables)
        return "\n".join(str(row) for table in sorted(there) for row in self.rows(table))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Site]:
    made = Instance(tmp_path_factory.mktemp("site"), databases).plugins("mfa")
    yield Site(made)
    made.close()


@pytest.fixture(autouse=True)
def early_in_a_step() -> Iterator[None]:
    """A test begins with the present code new, so that it does not end in the middle."""
    start = int(utcnow().timestamp()) // 30 * 30 + 1
    with time_machine.travel(datetime.fromtimestamp(start, UTC)):
        yield


@pytest.fixture
def ann(site: Site) -> Somebody:
    """Somebody with a second step."""
    return site.somebody().protect()


def crowd(act: Callable[[int], TestResponse], *, size: int = CROWD) -> list[int]:
    """The statuses that ``size`` clients get who all do the same at the same moment, sorted."""

    def one(number: int) -> int:
        status = act(number).status_code
        while status == 503:  # SQLite serves one writer after the other, and a busy machine not all in time
            status = act(number).status_code
        return status

    return sorted(at_once(one, size=size))
