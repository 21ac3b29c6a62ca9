"""Named jobs: the row is the truth, whoever runs it and however often."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.clock import utcnow
from core.context import within
from core.db import begin, db
from core.engine import current_task, enqueue
from core.engine.models import JobRow
from core.engine.perform import perform
from core.engine.sweep import reap
from core.engine.task import Cancelled
from tests.engine import toy
from tests.engine.world import World


def test_a_job_runs_once_in_its_organisation_and_tells_its_result(world: World) -> None:
    with world.acting(world.there):
        identifier = enqueue("toy.count", {"to": 5, "name": "sheep"})
    assert world.drain().jobs == 1
    assert world.drain().jobs == 0
    (row,) = world.jobs()
    assert row.id == identifier
    assert row.status == "done"
    assert row.result == {"counted": 5, "organisation": str(world.there)}
    assert row.progress == {"done": 5, "total": 5, "message": "counting sheep"}


def test_a_rolled_back_transaction_has_asked_for_nothing(world: World) -> None:
    with pytest.raises(ZeroDivisionError), world.acting(world.here):
        enqueue("toy.say")
        raise ZeroDivisionError
    assert world.jobs() == []


def test_effects_and_done_commit_together(world: World) -> None:
    with world.acting(world.here):
        enqueue("toy.write", {"number": 1, "act": "once"})
    world.drain()
    assert world.effects("write") == []
    (row,) = world.jobs()
    assert row.status == "queued"
    assert row.due > utcnow()
    assert "told to fail" in row.error
    world.hurry()
    world.drain()
    assert world.effects("write", world.here) == [1]


def test_a_job_dies_after_its_attempts(world: World) -> None:
    with world.acting(world.here):
        enqueue("toy.count", {"to": "no number"})
    for _ in range(3):
        world.drain()
        world.hurry()
    (row,) = world.jobs()
    assert (row.status, row.attempts) == ("dead", 3)


def test_a_job_past_its_time_is_interrupted(world: World) -> None:
    with world.acting(world.here):
        enqueue("toy.write", {"number": 1, "act": "hang"})
    world.drain()
    (row,) = world.jobs()
    assert "TimedOut" in row.error
    assert world.effects("write") == []


def test_unique_key_joins_what_waits_in_the_same_organisation(world: World) -> None:
    with world.acting(world.here):
        one = enqueue("toy.say", unique_key="a")
        assert enqueue("toy.say", unique_key="a") == one
        assert enqueue("toy.say", unique_key="b") != one
    with world.acting(world.there):
        assert enqueue("toy.say", unique_key="a") != one
    world.drain()
    with world.acting(world.here):
        assert enqueue("toy.say", unique_key="a") != one


def test_a_delayed_job_waits_and_a_pressing_one_overtakes(world: World) -> None:
    with world.acting(world.here):
        enqueue("toy.say", {"what": "late"}, delay=timedelta(hours=1))
        enqueue("toy.say", {"what": "usual"})
        enqueue("toy.say", {"what": "pressing"}, priority=5)
    world.drain()
    said = select(toy.Trace.said).order_by(toy.Trace.id)
    assert [row.said for row in world.rows(said)] == ["pressing", "usual"]
    world.hurry()
    world.drain()
    assert [row.said for row in world.rows(said)][-1] == "late"


def test_what_two_workers_were_told_of_is_run_by_one(world: World) -> None:
    with world.acting(world.here):
        identifier = enqueue("toy.write", {"number": 1})
    with world.app.app_context():
        assert perform(world.engine, identifier).status == "done"
        assert perform(world.engine, identifier).status == "unclaimed"
    assert world.effects("write") == [1]


def test_a_job_whose_lease_was_taken_commits_nothing(world: World) -> None:
    def paused() -> None:
        db.session.add(toy.Trace(said="from the paused one"))
        if world.engine.database.dialect == "postgresql":
            world.run("UPDATE core_job SET holder = 'somebody else'")
        else:
            db.unit.connection.exec_driver_sql("UPDATE core_job SET holder = 'somebody else'")

    world.engine.registry.add_job("toy", "paused", paused)
    with world.acting(world.here):
        identifier = enqueue("toy.paused")
    with world.app.app_context():
        assert perform(world.engine, identifier).status == "unclaimed"
    assert world.rows(select(toy.Trace.said)) == []


def test_a_cancelled_job_stops_at_its_next_word(world: World) -> None:
    seen = []

    def cancelled() -> None:
        with begin() as unit:
            unit.connection.execute(update(JobRow).values(status="cancelled"))
        try:
            current_task().progress(1, 1)
        except Cancelled:
            seen.append("cancelled")
            raise

    world.engine.registry.add_job("toy", "cancelled", cancelled)
    with world.acting(world.here):
        enqueue("toy.cancelled")
    world.drain()
    (row,) = world.jobs()
    assert (seen, row.status) == (["cancelled"], "cancelled")


def test_what_kills_its_worker_five_times_is_dead(world: World) -> None:
    with world.acting(world.here):
        identifier = enqueue("toy.say")
    for kills in range(1, 6):
        with world.app.app_context(), begin() as unit:
            claim = update(JobRow).where(JobRow.id == identifier)
            unit.connection.execute(claim.values(status="running", holder="a dead one"))
        world.expire()
        with world.app.app_context():
            assert reap(world.engine) == 1
        (row,) = world.jobs()
        assert (row.kills, row.status) == (kills, "dead" if kills == 5 else "queued")


def test_a_job_of_a_plugin_that_is_off_is_not_run(world: World) -> None:
    switch = world.app.extensions["jobstead.switch"]
    switch.load = lambda organisation: {"toy": organisation != world.there}
    with world.acting(world.here):
        enqueue("toy.write", {"number": 1})
    with world.acting(world.there):
        enqueue("toy.write", {"number": 2})
    world.drain()
    assert world.effects("write") == [1]
    assert [row.status for row in world.jobs()] == ["done", "skipped"]


def test_an_undeclared_job_is_refused(world: World) -> None:
    with world.acting(world.here), pytest.raises(LookupError, match=r"toy\.nothing"):
        enqueue("toy.nothing")


def test_no_task_outside_a_job(world: World) -> None:
    with pytest.raises(RuntimeError):
        current_task()


def test_a_job_may_be_asked_for_on_behalf_of_another_organisation(world: World) -> None:
    other: UUID = world.there
    with world.app.app_context(), within(None), begin():
        enqueue("toy.write", {"number": 3}, organisation=other)
    world.drain()
    assert world.effects("write", other) == [3]
