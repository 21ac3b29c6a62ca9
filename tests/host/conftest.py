"""Instances with plugins of the test's choosing, on a real database, without auth and orgs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from uuid import UUID

import pytest
from flask import request
from flask.testing import FlaskClient

from core import engine, hookspecs, host, web
from core.access import Permissions, enforce
from core.config import Config, load
from core.context import Principal, acting_as, organisation_id, within
from core.db import Database
from core.errors import NotFound
from core.hooks import Hooks
from core.host import migrations
from core.switch import Switch, active
from core.testing import Databases
from core.web import Server, ViewInfo, hold

SAMPLES = Path(__file__).parent.parent / "plugins"


class Instance:
    """One data directory and database, booted as often as wanted."""

    def __init__(self, home: Path, database_url: str) -> None:
        self.home = home
        self.bundled = home / "bundled"
        self.bundled.mkdir()
        self.environ = {
            "JOBSTEAD_DATA": str(home / "data"),
            "DATABASE_URL": database_url,
            "JOBSTEAD_CONFIG": str(home / "plugins.toml"),
        }
        self.toml = ""
        self.path: list[Path] = []
        self._apps: list[Server] = []

    def samples(self, *names: str) -> None:
        """Put plugins of ``tests/plugins`` on PLUGIN_PATH, where they run unless told otherwise."""
        self.path += [SAMPLES / name for name in names]

    def write(self, name: str, manifest: str = "", *, bundled: bool = False, **files: str) -> Path:
        """A plugin made up for the test; ``files`` by name without ``.py``, ``init`` for the package."""
        folder = (self.bundled if bundled else self.home / "made") / name
        (folder / "migrations").mkdir(parents=True)
        least = f'name = "{name}"\nversion = "1"\napi = ">=1,<2"\nsummary = "Made up."\n'
        (folder / "plugin.toml").write_text(least + dedent(manifest))
        (folder / "__init__.py").write_text('"""Made up."""\n')
        for file, text in files.items():
            place = "__init__" if file == "init" else file.replace("__", "/")
            (folder / f"{place}.py").write_text(dedent(text))
        if not bundled:
            self.path.append(folder)
        return folder

    @property
    def config(self) -> Config:
        (self.home / "plugins.toml").write_text(dedent(self.toml))
        self.environ["PLUGIN_PATH"] = ":".join(map(str, self.path))
        return load(environ=self.environ)

    def upgrade(self) -> dict[str, migrations.Outcome]:
        """What ``jobstead db upgrade`` does."""
        outcomes = migrations.upgrade(self.config, environ=self.environ, bundled=self.bundled)
        return {outcome.plugin: outcome for outcome in outcomes}

    def boot(self) -> Server:
        """A process of this instance."""
        config = self.config
        app = Server("jobstead")
        app.extensions.update(
            {
                "jobstead.config": config,
                "jobstead.db": Database(config.database.url),
                "jobstead.redis": None,
                "jobstead.permissions": Permissions(),
                "jobstead.switch": Switch(),
                "jobstead.hooks": Hooks(hookspecs),
            }
        )
        self._apps.append(app)
        web.init_app(app, config, gates=(_who, _serving, _permitted))
        engine.init_app(app, config)
        host.init_app(app, config, environ=self.environ, bundled=self.bundled)
        web.refuse_undeclared(app)
        return app

    def close(self) -> None:
        for app in self._apps:
            app.extensions["jobstead.db"].dispose()


def _who(_view: ViewInfo) -> None:
    """Stands in for ``auth`` and ``orgs``: believes what the test says."""
    roles = request.headers.get("X-Roles")
    if roles:
        hold(acting_as(Principal(kind="user", user_id=UUID(int=1), roles=frozenset(roles.split()))))
    if "X-Org" in request.headers:
        hold(within(UUID(request.headers["X-Org"])))


def _serving(view: ViewInfo) -> None:
    if not active(view.plugin, organisation_id()):
        raise NotFound


def _permitted(view: ViewInfo) -> None:
    enforce(view.access)


@pytest.fixture
def instance(tmp_path: Path, databases: Databases) -> Iterator[Instance]:
    """An instance with core's tables."""
    with databases.migrated("core alone", _migrate_core(tmp_path)) as url:
        made = Instance(tmp_path, url)
        yield made
        made.close()


@pytest.fixture
def bare(tmp_path: Path, database_url: str) -> Iterator[Instance]:
    """An instance whose database is empty."""
    made = Instance(tmp_path, database_url)
    yield made
    made.close()


def _migrate_core(home: Path) -> Callable[[str], None]:
    def migrate(url: str) -> None:
        environ = {"JOBSTEAD_DATA": str(home / "data"), "DATABASE_URL": url, "JOBSTEAD_SAFE_MODE": "1"}
        migrations.upgrade(load(environ=environ), environ=environ)

    return migrate


def client(app: Server, roles: str = "superadmin", **headers: str) -> FlaskClient:
    """A browser of somebody with these roles."""
    browser = app.test_client()
    given: Mapping[str, str] = {"X-Roles": roles, **{k.replace("_", "-"): v for k, v in headers.items()}}
    browser.environ_base.update({f"HTTP_{k.upper().replace('-', '_')}": v for k, v in given.items()})
    return browser
