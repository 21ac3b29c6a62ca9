"""An instance for tests: configured, migrated, and peopled, without any process of its own."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from werkzeug.test import TestResponse

from core import engine
from core.app import create_app
from core.auth import auth, credentials, keys, sessions, setup
from core.config import load
from core.db import begin, db, unscoped
from core.engine.models import EventRow
from core.host import migrations
from core.users import create_user
from core.users.service import grant_role
from core.web import Server

from .databases import Databases

MASTER_KEY = "00" * 32
"""One for all instances, so that a copied database's secrets can be read."""


class Instance:
    """Core and the plugins named, on a database of its own.

    Configure first (``plugins``, ``environ``, ``path``), then use ``app``, which boots.
    """

    def __init__(self, home: Path, databases: Databases) -> None:
        self.home = home
        self.path: list[Path] = []
        self.environ: dict[str, str] = {}
        self._databases = databases
        self._settings: dict[str, dict[str, Any]] = {}
        self._closing = ExitStack()

    def plugins(self, *names: str, **settings: dict[str, Any]) -> Instance:
        """Enable plugins, those in ``settings`` with values for ``plugins.toml``."""
        for name in names:
            self._settings.setdefault(name, {})
        for name, values in settings.items():
            self._settings.setdefault(name, {}).update(values)
        return self

    @cached_property
    def app(self) -> Server:
        """The app, its database migrated, its plugins loaded; a plugin's fault is raised, not contained."""
        file = self.home / "plugins.toml"
        tables = (_table(("plugins", name), {"enabled": True, **v}) for name, v in self._settings.items())
        file.write_text("strict = true\n" + "".join(tables))
        environ = {
            "JOBSTEAD_CONFIG": str(file),
            "JOBSTEAD_DATA": str(self.home / "var"),
            "JOBSTEAD_REDIS": "direct",
            "JOBSTEAD_LIMITS_SCALE": "100000",
            "JOBSTEAD_SERVER__THREADS": "64",  # a crowd in one process is what it says it can serve
            "ENCRYPTION_KEY": MASTER_KEY,
            "NODE_ENV": "test",
            "PLUGIN_PATH": ":".join(map(str, self.path)),
            **self.environ,
        }

        key = (*sorted(self._settings), *self.path)
        url = self._closing.enter_context(self._databases.migrated(key, lambda url: _prepare(environ, url)))
        return self._boot(environ, url)

    def _boot(self, environ: dict[str, str], url: str) -> Server:
        app = create_app(load(environ={**environ, "DATABASE_URL": url}), environ=environ)
        self._closing.callback(app.extensions["jobstead.db"].dispose)
        return app

    def person(self, email: str, *, role: str | None = None, password: str | None = None) -> Person:
        """Somebody verified and signed in, with an organisation of their own and, where given, a role
        of the instance. Without ``password`` they cannot log in over HTTP."""
        with self.app.app_context(), begin():
            user = create_user(email=email, name=email.partition("@")[0].title(), verified=True)
            if user is None:
                raise ValueError(f"{email} is there already")
            auth(self.app).organisations.welcome(user)
            if role is not None:
                grant_role(user.id, role)
            if password is not None:
                credentials.store(user.id, auth(self.app).passwords.hash(password))
        person = Person(self, user.id, email)
        person.sign_in()
        return person

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The payloads of all events of a type, the oldest first."""
        with self.app.app_context(), begin(write=False), unscoped("look"):
            rows = db.session.scalars(
                select(EventRow).where(EventRow.type == kind).order_by(EventRow.id)
            ).all()
            return [dict(row.payload) for row in rows]

    def drain(self) -> engine.Counts:
        """Let everything that waits happen: events reach their handlers, jobs run."""
        with self.app.app_context():
            return engine.drain()

    def close(self) -> None:
        self._closing.close()


def _prepare(environ: dict[str, str], url: str) -> None:
    """What a first start does to an empty database: migrations, the home organisation, a signing key."""
    config = load(environ={**environ, "DATABASE_URL": url})
    migrations.upgrade(config, environ=environ)
    keys.BITS = 2048  # larger ones take longer to make than most tests to run
    app = create_app(config, environ=environ)
    setup.issue_link(app)
    app.extensions["jobstead.db"].dispose()


@dataclass
class Person:
    """Somebody signed in; ``get``, ``post``, ``put`` and ``delete`` take paths below ``/api/v1``."""

    instance: Instance
    id: UUID
    email: str
    token: str = ""

    def sign_in(self) -> None:
        """Begin another session, as after the clock was moved."""
        app = self.instance.app
        with app.app_context(), begin():
            parts = auth(app)
            home = parts.organisations.default(self.id)
            session = sessions.start(
                self.id,
                organisation_id=home,
                amr=["pwd"],
                ip="127.0.0.1",
                user_agent="core.testing",
                last=parts.sessions,
            )
            self.token = parts.tokens.mint(
                user_id=self.id, session_id=session.session_id, organisation_id=home, amr=session.amr
            )

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        client = self.instance.app.test_client()
        return client.open(f"/api/v1{path}", method=method, headers=headers, **options)

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.call("GET", path, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("POST", path, json=json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> TestResponse:
        return self.call("PUT", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self.call("DELETE", path, **options)

    @cached_property
    def me(self) -> dict[str, Any]:
        """What ``/auth/me`` says."""
        return dict(self.get("/auth/me").json or {})


def _table(path: tuple[str, ...], values: dict[str, Any]) -> str:
    """A TOML table and those below it. JSON's strings, numbers, booleans and lists are TOML's too."""
    plain = {k: v for k, v in values.items() if not isinstance(v, dict)}
    text = f"[{'.'.join(path)}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in plain.items())
    return text + "".join(_table((*path, k), v) for k, v in values.items() if isinstance(v, dict))
