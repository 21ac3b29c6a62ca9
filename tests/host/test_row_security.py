"""``jobstead db upgrade`` sets row-level security up, with whatever rights it has; readiness looks."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import URL, NullPool, create_engine, make_url, text

from core.cli import main
from core.db import RowSecurityError, row_security
from core.host import host
from core.host.environment import engine_for
from core.testing.databases import make_tables
from tests.support import postgres

from .conftest import Instance, client

SECURED = """
    SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity
    AND (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid) = 2
"""


@pytest.fixture
def on_postgresql(database_url: str) -> None:
    if make_url(database_url).get_backend_name() != "postgresql":
        pytest.skip("SQLite has no row-level security")


def secured(instance: Instance) -> set[str]:
    with engine_for(instance.config.database.url).connect() as connection:
        return set(connection.execute(text(SECURED)).scalars())


def ready(app: Flask, roles: str = "") -> dict[str, Any]:
    """What /readyz says now, and not what it said two seconds ago."""
    app.extensions["jobstead.web"].caches.pop("ready", None)
    answer = client(app, roles).get("/readyz")
    return {**answer.json, "status": answer.status_code}


@pytest.mark.usefixtures("on_postgresql")
def test_an_upgrade_covers_core_and_every_plugin_it_migrates(instance: Instance) -> None:
    instance.upgrade()
    assert secured(instance) == {"core_member", "core_invitation"}
    instance.samples("sample")
    assert instance.upgrade()["sample"].applied == ["0001"]
    assert secured(instance) == {"core_member", "core_invitation", "sample_note"}
    app = instance.boot()
    assert host(app).records["sample"].state == "active"
    assert ready(app)["status"] == 200


@pytest.mark.usefixtures("on_postgresql")
def test_readiness_says_what_is_open_to_those_who_may_know(instance: Instance) -> None:
    app = instance.boot()
    assert ready(app)["status"] == 200
    with engine_for(instance.config.database.url).begin() as owner:
        owner.execute(text("ALTER TABLE core_member DISABLE ROW LEVEL SECURITY"))
    told = ready(app)
    assert (told["status"], told["failing"]) == (503, ["row_security"])
    assert "core_member" not in str(told)
    reason = ready(app, "superadmin")["reasons"]["row_security"]
    assert "core_member has no row-level security in force: run jobstead db upgrade" in reason
    instance.upgrade()
    assert ready(app)["status"] == 200


@pytest.mark.usefixtures("on_postgresql")
def test_flask_db_upgrade_secures_core_too(bare: Instance) -> None:
    bare.environ["FLASK_RUN_FROM_CLI"] = "true"  # as the flask command says of itself
    result = bare.boot().test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 0, result.output
    assert secured(bare) == {"core_member", "core_invitation"}


# --- a server that knows neither of the two roles yet --------------------------------------------------


@dataclass
class Cluster:
    """A PostgreSQL server of the test's own."""

    administrator: URL

    def run(self, *statements: str) -> None:
        engine = create_engine(self.administrator, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def database(self, name: str, owner: str) -> str:
        self.run(f'CREATE DATABASE {name} OWNER "{owner}"')
        return self.administrator.set(username=owner, database=name).render_as_string(hide_password=False)


@pytest.fixture
def cluster(on_postgresql: None) -> Iterator[Cluster]:
    if postgres.binaries() is None:
        pytest.skip("PostgreSQL is not installed here")
    with (
        tempfile.TemporaryDirectory() as name,  # the server does not run as root, who alone sees pytest's
        _serving(Path(name)) as url,
    ):
        yield Cluster(make_url(url))


@contextmanager
def _serving(folder: Path) -> Iterator[str]:
    command, url = postgres.plan(folder)
    with subprocess.Popen(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            until = time.monotonic() + 60
            while not postgres.answers(url):
                assert time.monotonic() < until
                time.sleep(0.05)
            yield url
        finally:
            server.terminate()


def test_who_may_not_create_roles_is_told_what_an_administrator_runs(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.run('CREATE ROLE "Plain-Login" LOGIN')
    instance = Instance(tmp_path, cluster.database("jobs", "Plain-Login"))
    instance.samples("sample")
    _ = instance.config
    for name, value in instance.environ.items():
        monkeypatch.setenv(name, value)
    told = CliRunner().invoke(main, ["db", "upgrade"])
    assert told.exit_code == 1
    lines = [line for line in told.output.splitlines() if line.endswith(";")]
    assert lines == [
        "CREATE ROLE jobstead_app NOLOGIN; CREATE ROLE jobstead_system NOLOGIN;",
        'GRANT jobstead_app, jobstead_system TO "Plain-Login";',
    ]
    app = instance.boot()
    assert ready(app)["status"] == 503
    assert "row_security" in ready(app)["failing"]
    reason = ready(app, "superadmin")["reasons"]["row_security"]
    assert 'role "jobstead_app" does not exist: run jobstead db upgrade' in reason
    assert client(app).get("/api/v1/plugins").status_code == 503

    cluster.run(*lines)
    done = CliRunner().invoke(main, ["db", "upgrade"])
    assert (done.exit_code, done.output) == (
        0,
        "core: row-level security set up\nsample: applied 0001\nsample: row-level security set up\n",
    )
    assert secured(instance) == {"core_member", "core_invitation", "sample_note"}
    app = instance.boot()
    assert ready(app)["status"] == 200
    instance.close()


def test_databases_upgraded_at_once_share_the_roles(cluster: Cluster) -> None:
    cluster.run("CREATE ROLE maker LOGIN CREATEROLE")
    urls = [cluster.database(f"jobs{number}", "maker") for number in range(6)]
    start = threading.Barrier(len(urls))
    faults: list[BaseException] = []

    def upgrade(url: str) -> None:
        try:
            with engine_for(url).connect() as connection:
                start.wait()
                row_security.enforce(connection)
                connection.commit()
        except BaseException as fault:
            faults.append(fault)

    together([lambda url=url: upgrade(url) for url in urls])
    assert faults == []
    make_tables(urls[0])
    with engine_for(urls[0]).begin() as owner:
        assert row_security.enforce(owner) == []
        owner.execute(text("ALTER TABLE core_member DISABLE ROW LEVEL SECURITY"))
    cluster.run("CREATE ROLE other LOGIN", "GRANT jobstead_app, jobstead_system TO other")
    other = make_url(urls[0]).set(username="other").render_as_string(hide_password=False)
    with engine_for(other).begin() as stranger, pytest.raises(RowSecurityError, match="must be owner"):
        row_security.enforce(stranger)


def together(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
