"""From ``emit`` to handlers: durable with the transaction, once, in order, organisation by organisation."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from core import context
from core.db import begin, db
from core.engine import emit
from core.engine.models import EventRow
from tests.engine import toy
from tests.engine.world import World


def test_every_handler_hears_once_in_its_organisation(world: World) -> None:
    for number in range(30):
        world.ping(number, world.here if number % 2 else world.there, key=f"k{number % 3}")
    world.drain()
    world.drain()
    for handler in ("first", "both", "third"):
        assert sorted(world.effects(handler, world.here)) == list(range(1, 30, 2))
        assert sorted(world.effects(handler, world.there)) == list(range(0, 30, 2))
        assert set(world.statuses(handler)) == {"done"}


def test_order_by_key(world: World) -> None:
    for number in range(60):
        world.ping(number, key=f"k{number % 4}")
    world.drain()
    done = world.effects("first")
    for key in range(4):
        assert [n for n in done if n % 4 == key] == list(range(key, 60, 4))


def test_one_handler_of_two_types_keeps_their_order(world: World) -> None:
    for number in range(0, 20, 2):
        world.ping(number, key="same")
        with world.acting(world.here):
            emit(toy.Ponged(number + 1), order_key="same")
    world.drain()
    assert world.effects("both") == list(range(20))


def test_emit_outside_a_unit_of_work_is_refused(world: World) -> None:
    with world.app.app_context(), pytest.raises(RuntimeError, match="unit of work"):
        emit(toy.Pinged(1))


def test_an_organisations_event_needs_an_organisation(world: World) -> None:
    with world.acting(None), pytest.raises(RuntimeError, match=r"toy\.pinged"):
        emit(toy.Pinged(1))


def test_an_undeclared_event_is_refused(world: World) -> None:
    class Unknown(toy.Event, type="toy.unknown"):
        pass

    with world.acting(world.here), pytest.raises(LookupError, match=r"toy\.unknown"):
        emit(Unknown())


def test_a_rolled_back_transaction_has_emitted_nothing(world: World) -> None:
    with pytest.raises(ZeroDivisionError), world.acting(world.here):
        emit(toy.Pinged(1))
        db.session.add(toy.Trace(said="gone"))
        raise ZeroDivisionError
    assert world.rows(select(EventRow.id)) == []
    assert world.drain().events == 0


def test_a_rolled_back_savepoint_takes_what_it_emitted_with_it(world: World) -> None:
    with world.acting(world.here):
        emit(toy.Pinged(1))
        with pytest.raises(ZeroDivisionError), db.session.begin_nested():
            emit(toy.Pinged(2))
            raise ZeroDivisionError
        with db.session.begin_nested():
            emit(toy.Pinged(3))
    world.drain()
    assert sorted(world.effects("first")) == [1, 3]


def test_an_event_carries_who_and_why(world: World) -> None:
    person = context.Principal(kind="user", user_id=world.here)
    with context.request("abcdefgh"), context.acting_as(person):
        world.ping(1)
    (row,) = world.rows(
        select(EventRow.actor, EventRow.request_id, EventRow.organisation_id, EventRow.payload)
    )
    assert row == (f"user:{world.here}", "abcdefgh", world.here, {"number": 1, "key": "", "act": "ok"})


def test_an_instance_wide_handler_writes_for_several_organisations(world: World) -> None:
    with world.acting(None):
        emit(toy.Announced(7, [world.here, world.there]))
    world.drain()
    assert world.effects("spread", world.here) == world.effects("spread", world.there) == [7]
    assert world.effects("both", world.here) == world.effects("both", world.there) == [7]


def test_an_instance_wide_handler_that_fails_has_written_for_nobody(world: World) -> None:
    with world.acting(None):
        emit(toy.Announced(7, [world.here, world.there.__class__(int=1)]))  # the second is nobody
    world.drain()
    assert world.effects("spread") == []
    assert world.statuses("spread") == ["pending"]
    assert world.rows(select(toy.Trace.said)) == []


def test_events_that_commit_out_of_order_are_all_relayed(world: World) -> None:
    if world.engine.database.dialect == "sqlite":
        pytest.skip("SQLite has one writer: numbers commit in order")
    with world.acting(world.here):
        emit(toy.Pinged(1))
        unit = db.unit
        for callback in unit.before_commit:
            callback(unit)  # number 1 is taken, not committed
        unit.pending.clear()
        with context.within(world.here), begin():
            emit(toy.Pinged(2))
        world.drain()
        assert world.effects("first") == [2]
    world.drain()
    assert world.effects("first") == [2, 1]


def test_a_payload_survives_a_newer_and_an_older_writer(world: World) -> None:
    codec = world.engine.registry.events["toy.pinged"].codec
    assert codec.load({"number": 1, "invented": True}) == toy.Pinged(1)
    with pytest.raises(TypeError):
        codec.load({"key": "a"})
