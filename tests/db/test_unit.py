"""A unit of work is one transaction: all of it, or nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, StatementError

from core.db import TableNameError, TenantMixin, acting_for, begin, current_unit, db, model_base, tenant_fk
from tests.db.models import Fact, Folder, World


def facts(world: World) -> list[str]:
    with begin(on=world.database, write=False):
        return list(db.session.scalars(select(Fact.text).order_by(Fact.text)))


def test_returning_commits_and_raising_rolls_back_every_organisation(world: World) -> None:
    with begin(on=world.database):
        db.session.add(Fact(text="kept"))
    with pytest.raises(ZeroDivisionError), begin(on=world.database):
        db.session.add(Fact(text="lost"))
        with acting_for(world.here):
            db.session.add(Folder(name="lost too"))
        raise ZeroDivisionError
    assert facts(world) == ["kept"]
    with begin(on=world.database), acting_for(world.here):
        assert db.session.scalar(select(func.count()).select_from(Folder)) == 0


def test_no_session_outside_a_unit() -> None:
    assert current_unit() is None
    with pytest.raises(RuntimeError, match="no unit of work"):
        _ = db.session


def test_nothing_but_core_commits(world: World) -> None:
    with begin(on=world.database):
        with pytest.raises(RuntimeError):
            db.session.commit()
        with pytest.raises(RuntimeError):
            db.session.rollback()


def test_what_a_rolled_back_savepoint_left_pending_is_dropped(world: World) -> None:
    with begin(on=world.database) as unit:
        unit.pending.append("outer")
        with pytest.raises(KeyError), db.session.begin_nested():
            unit.pending.append("inner")
            db.session.add(Fact(text="inner"))
            raise KeyError
        with db.session.begin_nested():
            unit.pending.append("second")
        assert unit.pending == ["outer", "second"]
    assert facts(world) == []


def test_a_rolled_back_savepoint_takes_its_inserts_along(world: World) -> None:
    with begin(on=world.database):
        twin = db.insert(Fact(text="kept"))
        with pytest.raises(IntegrityError), db.session.begin_nested():
            db.insert(Fact(text="lost"))
            db.insert(Fact(id=twin.id, text="twin"))
        db.insert(Fact(text="after"))
    assert facts(world) == ["after", "kept"]


def test_callbacks_run_before_and_after_the_commit(world: World) -> None:
    seen: list[str] = []
    with begin(on=world.database) as unit:
        unit.before_commit.append(lambda u: seen.append("before"))
        unit.after_commit.append(lambda: seen.append("after"))
        db.session.add(Fact(text="x"))
        seen.append("body")
    assert seen == ["body", "before", "after"]


def test_an_idle_unit_opens_no_connection(world: World) -> None:
    with begin(on=world.database) as unit:
        assert not unit.begun


def test_an_independent_unit_commits_although_the_outer_one_fails(world: World) -> None:
    with pytest.raises(ZeroDivisionError), begin(on=world.database, write=False):
        assert facts(world) == []
        with begin(on=world.database):
            db.session.add(Fact(text="counted"))
        raise ZeroDivisionError
    assert facts(world) == ["counted"]


def test_a_second_writer_inside_a_writer_is_told_at_once_on_sqlite(world: World) -> None:
    if world.database.dialect != "sqlite":
        pytest.skip("PostgreSQL locks rows, not the database")
    with begin(on=world.database):
        db.session.add(Fact(text="x"))
        db.session.flush()
        with pytest.raises(RuntimeError, match="second writing"), begin(on=world.database):
            pytest.fail("began")


def test_many_writers_wait_for_one_another(world: World) -> None:
    def write(number: int) -> None:
        with begin(on=world.database):
            count = db.session.scalar(select(func.count()).select_from(Fact))
            db.insert(Fact(text=f"{number:02} after {count}"))

    threads = [threading.Thread(target=write, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(facts(world)) == 24


def test_times_keep_their_moment_and_need_a_zone(world: World) -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    with begin(on=world.database):
        db.insert(Fact(text="dated", created_at=noon))
    with begin(on=world.database):
        kept = db.session.scalars(select(Fact.created_at)).one()
    assert kept == noon
    assert kept.tzinfo is UTC
    with pytest.raises(StatementError, match="no time zone"), begin(on=world.database):
        db.insert(Fact(text="naive", created_at=datetime(2026, 5, 1)))  # noqa: DTZ001


def test_a_table_carries_its_plugins_name() -> None:
    with pytest.raises(TableNameError):

        class Stray(TenantMixin, model_base("walltest")):
            __tablename__ = "other_stray"


def test_set_null_would_null_the_organisation() -> None:
    with pytest.raises(ValueError, match="SET NULL"):
        tenant_fk(Folder, ondelete="SET NULL")
