"""PostgreSQL keeps organisations apart by itself: here the guard is passed by, and nothing crosses."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import CursorResult, text
from sqlalchemy.exc import ProgrammingError

from core.context import System, within
from core.db import SCOPED, Database, acting_for, begin, db, row_security, unscoped, uuid7
from core.host.environment import engine_for
from core.testing import Databases
from tests.db.conftest import HERE, THERE, lay_out
from tests.db.models import Folder, World

MINE = "SELECT current_user, current_setting('app.tenant', true)"
INSERT = (
    "INSERT INTO walltest_folder (id, organisation_id, name, created_at, updated_at)"
    " VALUES (:id, :organisation, 'smuggled', now(), now())"
)
REFUSED = "violates row-level security policy"


@dataclass
class Fenced(World):
    """Two organisations with a folder each, named ``here`` and ``there``, in a database for all tests."""

    url: str

    def names(self) -> list[str]:
        """What is stored, whoever's it is."""
        with begin(on=self.database, write=False), unscoped("a test looks"):
            return sorted(raw("SELECT name FROM walltest_folder").scalars())

    def left(self) -> tuple[str, str]:
        """Who the one pooled connection is between transactions, and for whom."""
        connection = self.database.engine.raw_connection()
        try:
            with connection.cursor() as cursor:
                cursor.execute(MINE)
                return cursor.fetchone()
        finally:
            connection.close()


def raw(statement: str, **values: Any) -> CursorResult[Any]:
    """Run SQL in the open unit of work as if the guard had looked at it."""
    result: CursorResult[Any] = db.unit.connection.execute(
        text(statement), values, execution_options={SCOPED: "loader"}
    )
    return result


def mine() -> tuple[str, str]:
    role, tenant = raw(MINE).one()
    return role, tenant


@pytest.fixture(scope="module")
def fenced(databases: Databases) -> Iterator[Fenced]:
    with databases.migrated(__name__, lay_out) as url:
        world = Fenced(Database(url, pool_size=1), HERE, THERE, url)
        if world.database.dialect != "postgresql":
            pytest.skip("SQLite has no row-level security: there the guard is the last wall")
        with begin(on=world.database):
            for name, identifier in (("here", HERE), ("there", THERE)):
                with acting_for(identifier):
                    db.insert(Folder(name=name))
        yield world
        world.database.dispose()


def test_another_organisations_rows_are_neither_read_nor_changed_nor_deleted(fenced: Fenced) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), begin(on=fenced.database), acting_for(fenced.here):
        assert raw("SELECT name FROM walltest_folder").scalars().all() == ["here"]
        assert raw("SELECT count(*) FROM walltest_folder WHERE name = 'there'").scalar() == 0
        assert raw("UPDATE walltest_folder SET name = 'mine'").rowcount == 1
        assert raw("DELETE FROM walltest_folder").rowcount == 1
        raise Undone
    assert fenced.names() == ["here", "there"]


def test_no_row_is_written_for_another_organisation(fenced: Fenced) -> None:
    with pytest.raises(ProgrammingError, match=REFUSED), begin(on=fenced.database), acting_for(fenced.here):
        raw(INSERT, id=uuid7(), organisation=fenced.there)
    with pytest.raises(ProgrammingError, match=REFUSED), begin(on=fenced.database), acting_for(fenced.here):
        raw("UPDATE walltest_folder SET organisation_id = :there", there=fenced.there)
    with begin(on=fenced.database), acting_for(fenced.here):
        raw(INSERT, id=(own := uuid7()), organisation=fenced.here)
        assert raw("DELETE FROM walltest_folder WHERE id = :id", id=own).rowcount == 1
    assert fenced.names() == ["here", "there"]


def test_without_an_organisation_no_row_is_there_and_the_instances_are(fenced: Fenced) -> None:
    with begin(on=fenced.database):
        assert raw("SELECT count(*) FROM walltest_folder").scalar() == 0
        assert raw("DELETE FROM walltest_folder").rowcount == 0
        assert raw("SELECT count(*) FROM core_organisation").scalar() == 2
    with pytest.raises(ProgrammingError, match=REFUSED), begin(on=fenced.database):
        raw(INSERT, id=uuid7(), organisation=fenced.here)


def test_unscoped_code_sees_all(fenced: Fenced) -> None:
    with begin(on=fenced.database), unscoped("a test looks"):
        assert raw("SELECT count(*) FROM walltest_folder").scalar() == 2
        assert mine() == ("jobstead_system", "")


@pytest.mark.parametrize("statement", ["DROP TABLE walltest_folder", "CREATE TABLE x (id int)"])
def test_no_transaction_changes_tables(fenced: Fenced, statement: str) -> None:
    for scope in (fenced.here, None, System("a test tries")):
        with pytest.raises(ProgrammingError), within(scope), begin(on=fenced.database):
            raw(statement)
    with pytest.raises(ProgrammingError, match="must be owner"), begin(on=fenced.database):
        raw("ALTER TABLE walltest_folder DISABLE ROW LEVEL SECURITY")


def test_the_role_follows_the_scope_and_ends_with_the_transaction(fenced: Fenced) -> None:
    login = fenced.left()
    assert login[0] not in ("jobstead_app", "jobstead_system")
    here, there = ("jobstead_app", str(fenced.here)), ("jobstead_app", str(fenced.there))
    everything, nobody = ("jobstead_system", ""), ("jobstead_app", "")
    with begin(on=fenced.database):
        assert mine() == nobody
        with acting_for(fenced.here):
            assert mine() == here
            with unscoped("a test nests"):
                assert mine() == everything
                with acting_for(fenced.there):
                    assert mine() == there
                assert mine() == everything
            assert mine() == here
        assert mine() == nobody
    assert fenced.left() == (login[0], "")
    with pytest.raises(KeyError), begin(on=fenced.database), acting_for(fenced.here):
        with pytest.raises(ValueError), unscoped("a test fails"):
            assert mine() == everything
            raise ValueError
        assert mine() == here
        raise KeyError
    assert fenced.left() == (login[0], "")


def test_a_scope_alone_suffices_as_the_engines_runner_sets_it(fenced: Fenced) -> None:
    with begin(on=fenced.database):
        for organisation, name in ((fenced.here, "here"), (fenced.there, "there")) * 2:
            with within(organisation):
                assert raw("SELECT name FROM walltest_folder").scalars().all() == [name]


def test_a_rolled_back_savepoint_takes_no_role_along(fenced: Fenced) -> None:
    """PostgreSQL gives the setting its former value back, whatever the scope is by then."""
    with begin(on=fenced.database), unscoped("a test nests"):
        assert mine()[0] == "jobstead_system"
        with acting_for(fenced.here):
            with pytest.raises(ZeroDivisionError), db.session.begin_nested():
                assert mine() == ("jobstead_app", str(fenced.here))
                raise ZeroDivisionError
            assert raw("SELECT name FROM walltest_folder").scalars().all() == ["here"]
            with pytest.raises(ProgrammingError), db.session.begin_nested():
                raw("SELECT no_such_column FROM walltest_folder")
            assert raw("SELECT name FROM walltest_folder").scalars().all() == ["here"]
            with db.session.begin_nested(), unscoped("a test nests deeper"):
                assert mine() == ("jobstead_system", "")
            assert mine() == ("jobstead_app", str(fenced.here))
        assert raw("SELECT count(*) FROM walltest_folder").scalar() == 2


@pytest.mark.parametrize("ending", ["COMMIT", "  rollback"])
def test_who_ends_the_transaction_by_hand_gains_nothing(fenced: Fenced, ending: str) -> None:
    with begin(on=fenced.database), acting_for(fenced.here):
        raw("SELECT 1")
        db.unit.connection.exec_driver_sql(ending)
        assert raw("SELECT name FROM walltest_folder").scalars().all() == ["here"]


def test_threads_that_share_connections_see_their_own(fenced: Fenced) -> None:
    database = Database(fenced.url, pool_size=3)
    seen: list[tuple[str, list[str]]] = []

    def look(name: str, organisation: UUID) -> None:
        for _ in range(5):
            with within(organisation), begin(on=database, write=False):
                seen.append((name, list(raw("SELECT name FROM walltest_folder").scalars())))

    who = [("here", fenced.here), ("there", fenced.there)] * 12
    threads = [threading.Thread(target=look, args=one) for one in who]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.dispose()
    assert len(seen) == 5 * 24
    assert all(names == [name] for name, names in seen)


def test_migrations_see_every_row_and_a_second_upgrade_changes_nothing(fenced: Fenced) -> None:
    with engine_for(fenced.url).begin() as owner:
        assert owner.scalar(text("SELECT count(*) FROM walltest_folder")) == 2
        assert row_security.enforce(owner) == []


CHANGES = {
    "ALTER TABLE walltest_folder DISABLE ROW LEVEL SECURITY": "no row-level security",
    "ALTER TABLE walltest_folder NO FORCE ROW LEVEL SECURITY": "no row-level security",
    "DROP POLICY jobstead_app ON walltest_folder": "lacks the policy jobstead_app",
    "ALTER POLICY jobstead_app ON walltest_folder USING (true)": "lacks the policy jobstead_app",
    "ALTER POLICY jobstead_app ON walltest_folder WITH CHECK (true)": "lacks the policy jobstead_app",
    "ALTER POLICY jobstead_app ON walltest_folder TO public": "lacks the policy jobstead_app",
    "ALTER POLICY jobstead_system ON walltest_folder TO public": "lacks the policy jobstead_system",
    "CREATE POLICY more ON walltest_folder USING (true)": "has another policy for jobstead_app, more",
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_somebody_changed_is_found_and_mended(fenced: Fenced, change: str) -> None:
    def faults() -> list[str]:
        with fenced.database.engine.connect() as connection:
            return row_security.faults(connection)

    assert faults() == []
    with engine_for(fenced.url).begin() as owner:
        owner.execute(text(change))
    [fault] = faults()
    assert fault.startswith("walltest_folder")
    assert CHANGES[change] in fault
    with engine_for(fenced.url).begin() as owner:
        assert row_security.enforce(owner)
    assert faults() == []


def test_a_right_that_was_taken_away_stays_away(fenced: Fenced) -> None:
    """An append-only table is made by revoking, and no upgrade gives it back."""
    with engine_for(fenced.url).begin() as owner:
        owner.execute(text("REVOKE DELETE ON walltest_fact FROM jobstead_app, jobstead_system"))
        assert row_security.enforce(owner) == []
    with pytest.raises(ProgrammingError, match="permission denied"), begin(on=fenced.database):
        raw("DELETE FROM walltest_fact")


def test_a_table_made_by_a_migration_is_shared_with_both_roles(fenced: Fenced) -> None:
    with engine_for(fenced.url).begin() as owner:
        owner.execute(text("CREATE TABLE later (id serial PRIMARY KEY)"))
    for scope in (None, fenced.here, System("a test writes")):
        with within(scope), begin(on=fenced.database):
            raw("INSERT INTO later DEFAULT VALUES")
