"""No statement and no row crosses from one organisation into another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, InvalidRequestError, PendingRollbackError
from sqlalchemy.orm import aliased, joinedload, make_transient_to_detached, selectinload

from core.db import ScopeError, acting_for, begin, db, unscoped, uuid7
from tests.db.models import Fact, Folder, Note, World

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def notes(world: World) -> dict[str, Any]:
    """One folder with one note in each organisation."""
    made = {}
    with begin(on=world.database):
        for name, organisation in (("here", world.here), ("there", world.there)):
            with acting_for(organisation):
                folder = Folder(name=name)
                db.session.add(folder)
                db.session.flush()
                made[name] = folder.id, db.insert(Note(text=name, folder_id=folder.id)).id
    return made


READS: dict[str, Callable[[Any], Any]] = {
    "select": lambda s: s.scalars(select(Note.text)).all(),
    "aliased": lambda s: s.scalars(select(aliased(Note).text)).all(),
    "subquery": lambda s: s.scalars(select(select(Note).subquery().c.text)).all(),
    "cte": lambda s: s.scalars(select(select(Note.text).cte().c.text)).all(),
    "exists": lambda s: s.scalars(select(Folder.name).where(Folder.notes.any())).all(),
    "join": lambda s: s.scalars(select(Note.text).join(Folder, Folder.id == Note.folder_id)).all(),
    "eager relationship": lambda s: [
        n.text for f in s.scalars(select(Folder).options(selectinload(Folder.notes))) for n in f.notes
    ],
    "joined relationship": lambda s: [
        n.text for f in s.scalars(select(Folder).options(joinedload(Folder.notes))).unique() for n in f.notes
    ],
    "lazy relationship": lambda s: [n.text for f in s.scalars(select(Folder)) for n in f.notes],
    "query": lambda s: [note.text for note in s.query(Note)],
    "union": lambda s: s.scalars(select(Note.text).union(select(Note.text))).all(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_a_read_sees_one_organisation(
    world: World, notes: dict[str, Any], read: Callable[[Any], Any]
) -> None:
    with begin(on=world.database, write=False):
        for name, organisation in (("here", world.here), ("there", world.there)):
            with acting_for(organisation):
                assert read(db.session) == [name]


def test_count_get_update_and_delete_keep_to_one_organisation(world: World, notes: dict[str, Any]) -> None:
    with begin(on=world.database), acting_for(world.here):
        assert db.session.scalar(select(func.count()).select_from(Note)) == 1
        assert db.session.get(Note, notes["there"][1]) is None
        assert db.session.execute(update(Note).values(text="mine")).rowcount == 1
        assert db.session.query(Note).count() == 1
        assert db.session.execute(delete(Note)).rowcount == 1
    with begin(on=world.database), acting_for(world.there):
        assert db.session.scalars(select(Note.text)).all() == ["there"]


def test_a_row_seen_in_another_scope_is_not_there_in_this_one(world: World, notes: dict[str, Any]) -> None:
    """Neither the identity map nor a refresh keeps what another scope has read."""
    with begin(on=world.database):
        with unscoped("read everything"):
            seen = db.session.scalars(select(Note).where(Note.text == "there")).one()
        with acting_for(world.there):
            theirs = db.session.get(Note, notes["there"][1])
            assert theirs is not None
        with acting_for(world.here):
            assert db.session.get(Note, notes["there"][1]) is None
            for row in (seen, theirs):
                with pytest.raises(InvalidRequestError):
                    db.session.refresh(row)
                with pytest.raises((InvalidRequestError, ScopeError)):
                    db.session.add(row)


def test_a_row_made_up_for_another_organisations_key_changes_nothing(
    world: World, notes: dict[str, Any]
) -> None:
    for pretended in ({}, {"organisation_id": world.here}, {"organisation_id": world.there}):
        for act in ("change", "delete", "merge"):
            with pytest.raises((ScopeError, IntegrityError)):
                _meddle(world, notes["there"], act, pretended)
    with begin(on=world.database), acting_for(world.there):
        assert db.session.scalars(select(Note.text)).all() == ["there"]


def _meddle(world: World, note: tuple[Any, Any], act: str, pretended: dict[str, Any]) -> None:
    folder, identifier = note
    with begin(on=world.database), acting_for(world.here):
        row = Note(id=identifier, folder_id=folder, text="mine", **pretended)
        if act == "merge":
            db.session.merge(row)
            return
        make_transient_to_detached(row)
        db.session.add(row)
        if act == "delete":
            db.session.delete(row)
        else:
            row.text = "changed"


def refused() -> pytest.RaisesExc[Exception]:
    """A bulk call is refused inside a flush, after which the session says so on its way out."""
    return pytest.raises((ScopeError, PendingRollbackError))


REFUSED: dict[str, Callable[[World], Any]] = {
    "text": lambda w: db.session.execute(text("SELECT * FROM walltest_note")),
    "core select": lambda w: db.session.execute(select(Note.__table__)),
    "core update": lambda w: db.session.execute(update(Note.__table__).values(text="x")),
    "core insert": lambda w: db.session.execute(
        insert(Folder.__table__).values(id=uuid7(), name="x", organisation_id=w.there)
    ),
    "core delete": lambda w: db.session.execute(delete(Note.__table__)),
    "insert for another organisation": lambda w: db.session.execute(
        insert(Folder).values(name="x", organisation_id=w.there)
    ),
    "upsert": lambda w: db.session.execute(
        db.unit.upsert(Folder).values(name="x", organisation_id=w.there).on_conflict_do_nothing()
    ),
    "update that moves rows": lambda w: db.session.execute(update(Folder).values(organisation_id=w.there)),
    "update that moves rows, by column": lambda w: db.session.execute(
        update(Folder).values({Folder.__table__.c.organisation_id: w.there})
    ),
    "update that moves rows, in order": lambda w: db.session.execute(
        update(Folder).ordered_values((Folder.organisation_id, w.there))
    ),
    "update that moves rows, by parameter": lambda w: db.session.execute(
        update(Folder), {"organisation_id": w.there}
    ),
    "query that moves rows": lambda w: db.session.query(Folder).update({"organisation_id": w.there}),
    "core count": lambda w: db.session.execute(select(func.count()).select_from(Note.__table__)),
    "core table inside an ORM select": lambda w: db.session.execute(
        select(Folder).where(Folder.id.in_(select(Note.__table__.c.folder_id)))
    ),
    "core column in an ORM where": lambda w: db.session.execute(
        select(Folder).where(Note.__table__.c.folder_id == Folder.id)
    ),
    "aliased core table inside an ORM select": lambda w: db.session.execute(
        select(Folder).where(Folder.id.in_(select(Note.__table__.alias().c.folder_id)))
    ),
    "counted core table inside an ORM select": lambda w: db.session.execute(
        select(Note).where(select(func.count()).select_from(Note.__table__).scalar_subquery() > 1)
    ),
    "joined core table": lambda w: db.session.execute(
        select(Folder).join(Note.__table__, Note.__table__.c.folder_id == Folder.id)
    ),
    "text inside an ORM select": lambda w: db.session.execute(
        select(Folder).where(text("EXISTS (SELECT 1 FROM walltest_note)"))
    ),
    "from_statement": lambda w: db.session.scalars(
        select(Note).from_statement(text("SELECT * FROM walltest_note"))
    ).all(),
    "from_statement of an update": lambda w: db.session.scalars(
        select(Note).from_statement(update(Note).values(text="x").returning(Note))
    ).all(),
    "from_statement of a delete": lambda w: db.session.scalars(
        select(Note).from_statement(delete(Note).returning(Note))
    ).all(),
    "from_statement of a select": lambda w: db.session.scalars(
        select(Note).from_statement(select(Note.__table__))
    ).all(),
    "from_statement of an ORM select": lambda w: db.session.scalars(
        select(Note).from_statement(select(Note))
    ).all(),
    "from_statement of an insert": lambda w: db.session.scalars(
        select(Folder).from_statement(
            insert(Folder).values(name="x", organisation_id=w.there).returning(Folder)
        )
    ).all(),
    "update in a common table expression": lambda w: db.session.execute(
        select(Folder).where(
            Folder.id.in_(select(update(Note).values(text="x").returning(Note.folder_id).cte().c.folder_id))
        )
    ),
    "session.connection()": lambda w: db.session.connection().execute(select(Note.__table__)),
    "unit.connection": lambda w: db.unit.connection.execute(select(Note.__table__)),
    "driver sql": lambda w: db.unit.connection.exec_driver_sql("DELETE FROM walltest_note"),
    "bulk insert": lambda w: db.session.execute(
        insert(Note), [{"text": "x", "folder_id": uuid7(), "organisation_id": w.there}]
    ),
    "bulk update by key": lambda w: db.session.execute(update(Note), [{"id": uuid7(), "text": "x"}]),
    "bulk_update_mappings": lambda w: db.session.bulk_update_mappings(Note, [{"id": uuid7(), "text": "x"}]),
    "bulk_insert_mappings": lambda w: db.session.bulk_insert_mappings(
        Note, [{"text": "x", "folder_id": uuid7(), "organisation_id": w.there}]
    ),
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_filtered_is_refused(world: World, statement: Callable[[World], Any]) -> None:
    with refused(), begin(on=world.database), acting_for(world.here):
        statement(world)


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED.keys())
def test_refused_twice_although_statements_are_cached(
    world: World, statement: Callable[[World], Any]
) -> None:
    for _again in range(2):
        with refused(), begin(on=world.database), acting_for(world.there):
            statement(world)


def test_without_an_organisation_its_tables_are_refused_and_the_instances_serve(world: World) -> None:
    with begin(on=world.database):
        db.session.add(Fact(text="true for all"))
        db.session.flush()
        assert db.session.scalars(select(Fact.text)).all() == ["true for all"]
        with pytest.raises(ScopeError):
            db.session.scalars(select(Note)).all()


def test_unscoped_sees_all_and_says_why(world: World, notes: dict[str, Any]) -> None:
    with begin(on=world.database, write=False), unscoped("count everything"):
        assert db.session.scalar(select(func.count()).select_from(Note.__table__)) == 2


def test_a_row_cannot_be_written_for_another_organisation(world: World, notes: dict[str, Any]) -> None:
    with pytest.raises(ScopeError), begin(on=world.database), acting_for(world.here):
        db.session.add(Folder(name="smuggled", organisation_id=world.there))
    with pytest.raises(ScopeError), begin(on=world.database), acting_for(world.here):
        db.insert(Folder(name="smuggled", organisation_id=world.there))
    with pytest.raises(ScopeError), begin(on=world.database), acting_for(world.here):
        folder = db.session.scalars(select(Folder)).one()
        folder.organisation_id = world.there


def test_a_row_cannot_point_into_another_organisation(world: World, notes: dict[str, Any]) -> None:
    foreign_folder = notes["there"][0]
    with pytest.raises(IntegrityError), begin(on=world.database), acting_for(world.here):
        db.session.add(Note(text="x", folder_id=foreign_folder))


def test_one_organisation_is_left_before_another_is_entered(world: World) -> None:
    with begin(on=world.database), acting_for(world.here):
        with pytest.raises(ScopeError), acting_for(world.there):
            pytest.fail("entered")
        with unscoped("hand over"), acting_for(world.there):
            db.session.add(Folder(name="given"))
    with begin(on=world.database), acting_for(world.there):
        assert db.session.scalars(select(Folder.name)).all() == ["given"]


def test_a_session_kept_from_another_scope_refuses_to_work(world: World) -> None:
    with begin(on=world.database):
        with acting_for(world.here):
            kept = db.session
        with acting_for(world.there), pytest.raises(ScopeError):
            kept.scalars(select(Note)).all()
