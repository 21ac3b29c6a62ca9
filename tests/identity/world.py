"""What the tests of this room do over and over: an app, a person, a crowd at one door."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from werkzeug.test import TestResponse

from core.app import create_app
from core.auth import verification_code
from core.config import load
from core.context import System, within
from core.db import begin, db, metadata
from core.engine.models import EventRow
from core.testing import crowd as crowd
from core.testing.databases import make_tables as create_tables
from core.users import User
from core.web import Server

PASSWORD = "correct horse battery"
CROWD = 24


def make_app(folder: Path, database_url: str, environ: dict[str, str]) -> Server:
    """Core alone, without plugins, on its own data directory."""
    settings = folder / "plugins.toml"
    settings.touch()
    config = load(
        settings,
        {
            "JOBSTEAD_DATA": str(folder / "var"),
            "DATABASE_URL": database_url,
            "JOBSTEAD_SAFE_MODE": "true",
            "NODE_ENV": "test",
            "JOBSTEAD_LIMITS_SCALE": "100000",
            "JOBSTEAD_SERVER__THREADS": str(2 * CROWD),  # as many as the tests let loose on one process
            **environ,
        },
    )
    return create_app(config)


def make_tables(database_url: str) -> None:
    """Core's tables in an empty database."""
    create_tables(database_url, [t for n, t in metadata.tables.items() if n.startswith("core_")])


@dataclass
class Person:
    """Somebody who is logged in."""

    world: World
    email: str
    tokens: dict[str, Any]

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.tokens['accessToken']}", **options.pop("headers", {})}
        return self.world.app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **options)

    def me(self) -> dict[str, Any]:
        answer = self.call("GET", "/auth/me")
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})


@dataclass
class World:
    """An app and the things people do there."""

    app: Server

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.app.test_client().post(f"/api/v1{path}", json=json, **options)

    def register(self, email: str, password: str = PASSWORD, name: str = "Somebody") -> TestResponse:
        return self.post("/auth/register", {"email": email, "password": password, "name": name})

    def login(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/auth/login", {"email": email, "password": password})

    def verify(self, email: str, code: str) -> TestResponse:
        return self.post("/auth/verify-otp", {"email": email, "code": code})

    def person(self, email: str, password: str = PASSWORD) -> Person:
        """Registered, verified, logged in."""
        assert self.register(email, password).status_code == 202
        assert self.verify(email, self.code(email)).status_code == 200
        return self.signed_in(email, password)

    def signed_in(self, email: str, password: str = PASSWORD) -> Person:
        answer = self.login(email, password)
        assert answer.status_code == 200, answer.text
        return Person(self, email, dict(answer.json or {}))

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The payloads of all events of a type, the oldest first."""
        with self.app.app_context(), begin(write=False), within(System("look")):
            rows = db.session.scalars(
                select(EventRow).where(EventRow.type == kind).order_by(EventRow.id)
            ).all()
            return [dict(row.payload) for row in rows]

    def code(self, email: str) -> str:
        """The digits in the newest mail to an address."""
        sent = [event for event in self.events("otp.requested") if event["email"] == email]
        with self.app.app_context():
            return verification_code(UUID(sent[-1]["code_id"]))

    def execute(self, statement: Any) -> Any:
        """Change or read rows as an operator would, past every rule."""
        with self.app.app_context(), begin(), within(System("operate")):
            return db.session.execute(statement)

    def user_id(self, email: str) -> UUID:
        found = self.execute(select(User.id).where(User.email == email)).scalar_one()
        return UUID(str(found))


def statuses(answers: list[TestResponse]) -> dict[int, int]:
    """How often each status came."""
    codes = [answer.status_code for answer in answers]
    return {code: codes.count(code) for code in set(codes)}
