"""Migrations: core first, plugins in order, each on its own, one process at a time."""

from __future__ import annotations

import threading
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import inspect, text

from core.host import migrations, revisions
from core.host.environment import engine_for
from core.host.lock import exclusive
from core.host.migrations import MigrationError
from core.host.registry import host

from .conftest import Instance, client

REVISION = '''
"""{slug}"""

import sqlalchemy as sa
from alembic import op

revision = {revision!r}
down_revision = {down!r}


def upgrade():
    {body}


def downgrade():
    pass
'''


def revision(folder: Path, number: int, body: str) -> None:
    down = f"{number - 1:04d}" if number > 1 else None
    text_ = REVISION.format(slug="step", revision=f"{number:04d}", down=down, body=body)
    (folder / "migrations" / f"{number:04d}_step.py").write_text(text_)


def tables(instance: Instance) -> set[str]:
    with engine_for(instance.config.database.url).connect() as connection:
        return set(inspect(connection).get_table_names())


def test_plugins_follow_core_in_the_order_of_their_requirements(instance: Instance) -> None:
    upper = instance.write("alpha", 'requires = ["omega"]')
    lower = instance.write("omega")
    revision(lower, 1, 'op.execute("CREATE TABLE omega_row (id INTEGER PRIMARY KEY)")')
    revision(
        upper, 1, 'op.execute("CREATE TABLE alpha_row (id INTEGER PRIMARY KEY REFERENCES omega_row (id))")'
    )
    outcomes = instance.upgrade()
    assert list(outcomes) == ["core", "omega", "alpha"]
    assert outcomes["alpha"].applied == ["0001"]
    assert {"alembic_version_alpha", "alembic_version_omega"} <= tables(instance)
    assert instance.upgrade()["alpha"].applied == []
    assert {r.state for r in host(instance.boot()).records.values()} == {"active"}


def test_a_failing_migration_keeps_its_plugin_and_dependants_out_alone(instance: Instance) -> None:
    instance.samples("sample", "broken_migration")
    instance.write("leaning", 'requires = ["broken_migration"]')
    outcomes = instance.upgrade()
    assert "a_table_that_is_not_there" in (outcomes["broken_migration"].failed or "")
    assert outcomes["leaning"].failed == "waits for broken_migration, whose migration failed"
    assert outcomes["sample"].applied == ["0001"]
    assert "broken_migration_first" not in tables(instance)  # each migration is a transaction
    records = host(instance.boot()).records
    assert [records[n].state for n in ("sample", "broken_migration", "leaning")] == [
        "active",
        "failed",
        "failed",
    ]


def test_what_went_before_a_failing_migration_stays(instance: Instance) -> None:
    folder = instance.write("half")
    revision(folder, 1, 'op.execute("CREATE TABLE half_row (id INTEGER PRIMARY KEY)")')
    revision(folder, 2, 'op.execute("DROP TABLE half_nothing")')
    outcome = instance.upgrade()["half"]
    assert outcome.applied == ["0001"]
    assert outcome.failed
    assert host(instance.boot()).records["half"].pending == ["0002"]
    revision(folder, 2, "pass")
    assert instance.upgrade()["half"].applied == ["0002"]


@pytest.mark.parametrize("body", ["raise SystemExit(4)", "1 / 0"])
def test_a_migration_that_raises_is_contained(instance: Instance, body: str) -> None:
    revision(instance.write("wild"), 1, body)
    instance.samples("sample")
    outcomes = instance.upgrade()
    assert outcomes["wild"].failed
    assert outcomes["sample"].applied == ["0001"]


def test_a_plugin_that_is_off_is_not_migrated(instance: Instance) -> None:
    instance.samples("sample")
    instance.toml = "[plugins.sample]\nenabled = false\n"
    assert "sample" not in instance.upgrade()
    assert "sample_note" not in tables(instance)


def test_a_database_ahead_of_the_files_is_named(instance: Instance) -> None:
    folder = instance.write("old")
    revision(folder, 1, "pass")
    revision(folder, 2, "pass")
    instance.upgrade()
    (folder / "migrations" / "0002_step.py").unlink()
    record = host(instance.boot()).records["old"]
    assert (record.step, record.reason) == (
        "migrated",
        "the database is at revision 0002, which these files lack",
    )


def test_rows_that_would_point_nowhere_stop_the_migration(instance: Instance) -> None:
    folder = instance.write("orphans")
    revision(folder, 1, 'op.execute("CREATE TABLE orphans_parent (id INTEGER PRIMARY KEY)")')
    revision(
        folder,
        2,
        'op.execute("CREATE TABLE orphans_child (id INTEGER REFERENCES orphans_parent (id))")\n'
        '    op.execute("INSERT INTO orphans_child VALUES (7)")',
    )
    outcome = instance.upgrade()["orphans"]
    assert outcome.applied == ["0001"]
    assert "orphans_" in (outcome.failed or "")


MODELS = """
from core.api import InstanceMixin, Json, Mapped, String, TenantMixin, mapped_column, model_base, tenant_fk

Base = model_base("notes")

class Book(TenantMixin, Base):
    __tablename__ = "notes_book"
    title: Mapped[str] = mapped_column(String(80))

class Page(TenantMixin, Base):
    __tablename__ = "notes_page"
    book_id: Mapped[object] = tenant_fk(Book)
    content: Mapped[dict] = mapped_column(Json)
"""


def write_revision(instance: Instance, app: object) -> str | None:
    found = host(app).records["notes"].found  # type: ignore[arg-type]
    goal = revisions.target("notes", found.folder, tuple(host(app).records))  # type: ignore[arg-type]
    return migrations.revision(goal, instance.config, "what changed")


def test_a_revision_is_written_applied_and_leaves_no_difference(instance: Instance) -> None:
    folder = instance.write("notes", models=MODELS)
    path = write_revision(instance, instance.boot())
    assert path == str(folder / "migrations" / "0001_what_changed.py")
    written = Path(path).read_text()
    assert "core.db" not in written  # it outlives the code it came from
    assert "notes_page" in written
    assert "core_organisation" in written
    assert instance.upgrade()["notes"].applied == ["0001"]
    app = instance.boot()
    assert host(app).records["notes"].state == "active"
    assert write_revision(instance, app) is None


def test_nobodys_tables_are_dropped_by_a_revision(instance: Instance) -> None:
    """Neither a stranger's, nor another plugin's, nor those of a plugin that is gone."""
    instance.write("notes", models=MODELS)
    neighbour = instance.write("notes_extra")
    revision(neighbour, 1, 'op.execute("CREATE TABLE notes_extra_row (id INTEGER PRIMARY KEY)")')
    gone = instance.write("notes_gone")
    revision(gone, 1, 'op.execute("CREATE TABLE notes_gone_row (id INTEGER PRIMARY KEY)")')
    instance.upgrade()
    with engine_for(instance.config.database.url).begin() as connection:
        connection.execute(text("CREATE TABLE stranger (id INTEGER PRIMARY KEY)"))
    instance.path.remove(gone)
    path = write_revision(instance, instance.boot())
    assert path is not None
    upgrade = Path(path).read_text().partition("def downgrade")[0]
    assert "drop_table" not in upgrade
    assert "notes_extra" not in upgrade


def test_a_model_that_was_removed_is_dropped_by_its_own_plugin(instance: Instance) -> None:
    folder = instance.write("notes", models=MODELS)
    write_revision(instance, instance.boot())
    instance.upgrade()
    (folder / "models.py").write_text(dedent(MODELS).partition("class Page")[0])
    from core.host import importing

    importing.throw_out(host(instance.boot()).records["notes"].found)
    path = write_revision(instance, instance.boot())
    assert path is not None
    assert 'op.drop_table("notes_page")' in Path(path).read_text().replace("'", '"')


def test_one_process_migrates_at_a_time(instance: Instance) -> None:
    config = instance.config
    engine = engine_for(config.database.url)
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        waiting.set()
        with exclusive(engine, config.data_dir):
            order.append("second")

    with exclusive(engine, config.data_dir):
        other = threading.Thread(target=second)
        other.start()
        assert waiting.wait(10)
        order.append("first")
    other.join(10)
    assert order == ["first", "second"]


def test_two_upgrades_at_once_apply_each_migration_once(instance: Instance) -> None:
    instance.samples("sample")
    config = instance.config
    applied: list[str] = []

    def run() -> None:
        for outcome in migrations.upgrade(config, environ=instance.environ, bundled=instance.bundled):
            assert not outcome.failed
            applied.extend(outcome.applied if outcome.plugin == "sample" else ())

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert applied == ["0001"]


def test_cores_own_failure_ends_the_upgrade(
    bare: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "migrations"
    (home / "versions").mkdir(parents=True)
    for file in ("env.py", "script.py.mako"):
        (home / file).write_text((revisions.HOME / file).read_text())
    (home / "versions" / "0001_bad.py").write_text(
        REVISION.format(slug="bad", revision="0001", down=None, body="raise ValueError('no')")
    )
    monkeypatch.setattr(revisions, "HOME", home)
    bare.samples("sample")
    with pytest.raises(MigrationError, match="ValueError: no"):
        bare.upgrade()
    assert "sample_note" not in tables(bare)


def test_readiness_waits_for_cores_migrations(bare: Instance) -> None:
    app = bare.boot()
    answer = client(app, "admin").get("/readyz")
    assert answer.status_code == 503
    assert "run jobstead db upgrade" in answer.json["reasons"]["migrations"]


def test_flask_db_upgrade_migrates_core(bare: Instance) -> None:
    bare.environ["FLASK_RUN_FROM_CLI"] = "true"  # as the flask command says of itself
    app = bare.boot()
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 0, result.output
    assert {"alembic_version", "core_plugin"} <= tables(bare)
    assert app.test_cli_runner().invoke(args=["db", "current"]).exit_code == 0
