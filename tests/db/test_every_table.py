"""Every organisation's table, core's and all bundled plugins', as their migrations make it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Table, inspect, text

import plugins
from core.context import System, within
from core.db import metadata, row_security, tenant_tables
from core.testing import Databases, Instance

BUNDLED = sorted(
    path.parent.name for folder in plugins.__path__ for path in Path(folder).glob("*/plugin.toml")
)

POLICIES = """
    SELECT policyname, permissive, roles::text[], cmd, qual, with_check FROM pg_policies
    WHERE schemaname = current_schema() AND tablename = :table ORDER BY policyname
"""
FLAGS = """
    SELECT relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) = current_user FROM pg_class
    WHERE oid = to_regclass(:table)
"""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[Connection]:
    """Of an instance with every bundled plugin, as its requests have it."""
    instance = Instance(tmp_path_factory.mktemp("all"), databases).plugins(*BUNDLED)
    with instance.app.extensions["jobstead.db"].engine.connect() as connection:
        yield connection
    instance.close()


def there(connection: Connection) -> list[Table]:
    """Models of this process whose tables exist: other tests declare further ones."""
    names = set(inspect(connection).get_table_names())
    return [table for table in metadata.sorted_tables if table.name in names]


def of_organisations(connection: Connection) -> list[Table]:
    return [table for table in there(connection) if table.name in tenant_tables]


def test_the_tables_are_those_of_core_and_plugins(connection: Connection) -> None:
    names = {table.name for table in of_organisations(connection)}
    assert {"core_member", "core_invitation", "notifications_notification", "job_boards_alert"} <= names
    declared = {table.name for table in there(connection) if _has(table, "organisation_id", nullable=False)}
    assert declared == names, "organisation_id without TenantMixin: neither filtered nor checked"


def _has(table: Table, column: str, *, nullable: bool) -> bool:
    return column in table.c and table.c[column].nullable is nullable


def test_row_level_security_is_in_force_on_each(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        pytest.skip("SQLite has no row-level security")
    own = "(organisation_id = (NULLIF(current_setting('app.tenant'::text, true), ''::text))::uuid)"
    for table in of_organisations(connection):
        assert connection.execute(text(FLAGS), {"table": table.name}).one() == (True, True, False), table.name
        found = connection.execute(text(POLICIES), {"table": table.name}).all()
        assert found == [
            ("jobstead_app", "PERMISSIVE", ["jobstead_app"], "ALL", own, own),
            ("jobstead_system", "PERMISSIVE", ["jobstead_system"], "ALL", "true", "true"),
        ], table.name
    assert row_security.faults(connection) == []


def test_without_a_scope_no_row_of_any_is_seen(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        pytest.skip("SQLite has no row-level security")
    with within(System("a test looks")):
        assert connection.scalar(text("SELECT count(*) FROM core_organisation")) > 0
    for table in of_organisations(connection):
        # the guard is passed by as nothing but a test may
        marked = {"jobstead_scoped": "loader"}
        statement = text(f"SELECT count(*) FROM {table.name}")
        assert connection.execute(statement, execution_options=marked).scalar() == 0


def test_the_instances_tables_are_open_to_both_roles(connection: Connection) -> None:
    if connection.dialect.name != "postgresql":
        pytest.skip("SQLite has no roles")
    for table in there(connection):
        for role in ("jobstead_app", "jobstead_system"):
            asked = text("SELECT has_table_privilege(:role, :table, 'SELECT')")
            assert connection.execute(asked, {"role": role, "table": table.name}).scalar(), table.name


def test_no_key_leads_from_one_organisation_into_another(connection: Connection) -> None:
    """Keys between organisations' tables carry the organisation, which is unique together with the id."""
    for table in of_organisations(connection):
        with within(System("a test looks")):
            unique = inspect(connection).get_unique_constraints(table.name)
            keys = inspect(connection).get_foreign_keys(table.name)
        assert ["organisation_id", "id"] in [found["column_names"] for found in unique], table.name
        for key in keys:
            if key["referred_table"] in tenant_tables:
                first = (key["constrained_columns"][0], key["referred_columns"][0])
                assert first == ("organisation_id", "organisation_id"), (table.name, key)
