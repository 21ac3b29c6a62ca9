"""What goes wrong blocks its own key and nothing else, is tried again, and dies in the end."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from core.clock import utcnow
from core.db import begin
from core.engine.lanes import claim, due_queues, finish, release
from core.engine.leader import lead
from core.engine.models import DeliveryRow, LaneRow, QueueRow
from core.engine.relay import relay
from core.engine.retry import ATTEMPTS, LeaseLost, wait
from core.engine.runner import Runner
from tests.engine.world import World


def test_a_failing_row_blocks_only_its_own_key(world: World) -> None:
    world.ping(1, key="bad")
    world.ping(2, key="bad", act="fail")
    world.ping(3, key="bad")
    world.ping(4, key="good")
    world.ping(5, world.there, key="bad")
    world.drain()
    assert sorted(world.effects("first")) == [1, 4, 5]
    assert world.statuses("first") == ["done", "pending", "pending", "done", "done"]
    assert sorted(world.effects("third")) == [1, 2, 3, 4, 5]  # the handler that does not fail


def test_what_comes_later_waits_behind_the_failing_row(world: World) -> None:
    world.ping(1, key="bad", act="fail")
    world.drain()
    world.ping(2, key="bad")
    world.drain()
    assert world.effects("first") == []
    failing, behind = world.deliveries("first")
    assert behind.due == failing.due > utcnow()
    assert behind.attempts == 0


def test_a_parked_lane_is_not_due(world: World) -> None:
    world.ping(1, key="bad", act="fail")
    world.ping(2, key="bad")
    world.drain()
    with world.app.app_context():
        assert due_queues(world.engine, ["background"]) == []


def test_it_succeeds_the_next_time_and_order_is_kept(world: World) -> None:
    for number in range(4):
        world.ping(number, key="k", act="once" if number == 1 else "ok")
    world.drain()
    assert world.effects("first") == [0]
    world.hurry()
    world.drain()
    assert world.effects("first") == [0, 1, 2, 3]


def test_sixteen_attempts_then_dead_and_the_key_goes_on(world: World) -> None:
    world.ping(1, key="k", act="fail")
    world.ping(2, key="k")
    for _ in range(ATTEMPTS - 1):
        world.drain()
        assert world.statuses("first") == ["pending", "pending"]
        world.hurry()
    world.drain()
    assert world.statuses("first") == ["dead", "done"]
    dead, _ = world.deliveries("first")
    assert dead.attempts == ATTEMPTS
    assert "told to fail" in dead.error
    assert world.effects("first") == [2]


def test_permanent_is_dead_at_once(world: World) -> None:
    world.ping(1, act="permanent")
    world.drain()
    assert world.statuses("first") == ["dead"]


def test_retry_says_when(world: World) -> None:
    world.ping(1, act="later")
    world.drain()
    (row,) = world.deliveries("first")
    assert timedelta(hours=2) < row.due - utcnow() <= timedelta(hours=3)


def test_a_handler_that_calls_exit_fails_like_any_other(world: World) -> None:
    world.ping(1, act="exit")
    world.ping(2)
    world.drain()
    assert world.statuses("first") == ["pending", "done"]


def test_a_handler_that_hangs_is_interrupted(world: World) -> None:
    world.engine.registry.handlers.pop("toy.both")
    world.engine.registry.withdraw("nobody")
    object.__setattr__(world.engine.registry.handlers["toy.first"], "timeout", 0.2)
    world.ping(1, act="hang")
    world.drain()
    (row,) = world.deliveries("first")
    assert row.attempts == 1
    assert "TimedOut" in row.error


def test_a_commit_that_fails_is_the_fault_of_one_row(world: World) -> None:
    """Nothing raises while the batch runs, but its rows cannot be written together."""
    world.alter("CREATE UNIQUE INDEX one_each ON toy_effect (handler, key) WHERE handler = 'third'")
    for number in range(8):
        world.ping(number, key="twice" if number in (2, 5) else f"k{number}")
    world.drain()
    assert sorted(world.effects("third")) == [0, 1, 2, 3, 4, 6, 7]
    assert world.statuses("third") == ["done"] * 5 + ["pending"] + ["done"] * 2


def test_waits_double_with_jitter_up_to_an_hour() -> None:
    error = ValueError()
    for attempt in range(1, ATTEMPTS):
        middle = min(3600, 5 * 2 ** (attempt - 1))
        waits = {wait(attempt, error).total_seconds() for _ in range(50)}
        assert min(waits) >= middle * 0.8
        assert max(waits) <= middle * 1.2
        assert len(waits) > 1


def test_a_lost_lane_commits_nothing(world: World) -> None:
    """A worker that was paused past its lease finds its lane in other hands."""
    world.ping(1, key="k")
    with world.app.app_context():
        assert lead(world.engine, "me")
        relay(world.engine, "me")
        mine = claim(world.engine, ["background"])
        assert mine is not None
        world.engine.heartbeat.drop(mine.holder)
        world.expire()
        taken = None
        while taken is None or taken.handler is not mine.handler:
            taken = claim(world.engine, ["background"])
            assert taken is not None
        assert taken.careful
        with pytest.raises(LeaseLost):
            Runner(world.engine, mine).run()
        release(world.engine, mine)  # gives back nothing: it is not ours
        Runner(world.engine, taken).run()
        release(world.engine, taken)
    name = mine.handler.name.removeprefix("toy.")
    assert world.effects(name) == [1]


def test_a_delivery_is_never_ended_twice(world: World) -> None:
    world.ping(1)
    world.drain()
    (row,) = world.deliveries("first")
    with world.app.app_context():
        with begin() as unit:
            unit.connection.execute(update(LaneRow).values(due_at=utcnow()))
        lane = claim(world.engine, ["background"])
        assert lane is not None
        with pytest.raises(LeaseLost), begin() as unit:
            finish(unit, lane, [row.id], "done")
        release(world.engine, lane)


def test_a_plugin_switched_off_for_an_organisation_is_skipped_there(world: World) -> None:
    off: set[UUID] = set()
    switch = world.app.extensions["jobstead.switch"]
    switch.load = lambda organisation: {"toy": organisation not in off}
    world.ping(1, world.here, act="once", key="k")
    world.ping(2, world.there, act="once", key="k")
    world.drain()
    off.add(world.there)  # after the relay: only the worker can notice
    switch.forget(world.there)
    world.ping(3, world.there)  # before the relay: nobody is even asked
    world.hurry()
    world.drain()
    assert world.effects("first") == [1]
    assert world.statuses("first") == ["done", "skipped"]


def test_deliveries_of_a_plugin_that_does_not_run_are_held(world: World) -> None:
    switch = world.app.extensions["jobstead.switch"]
    world.ping(1, act="once")
    world.drain()
    del switch.defaults["toy"]
    world.hurry()
    world.drain()
    assert world.statuses("first") == ["pending"]
    switch.defaults["toy"] = True
    world.drain()
    assert world.statuses("first") == ["done"]


def test_a_paused_queue_is_not_worked(world: World) -> None:
    with world.app.app_context(), begin() as unit:
        unit.session().add(QueueRow(name="background", paused_at=utcnow()))
    world.ping(1)
    world.drain()
    assert world.statuses("first") == ["pending"]
    with world.app.app_context(), begin() as unit:
        unit.session().get(QueueRow, "background").paused_at = None
    world.drain()
    assert world.statuses("first") == ["done"]


def test_lanes_are_given_back(world: World) -> None:
    for number in range(40):
        world.ping(number)
    world.drain()
    assert {row.holder for row in world.rows(select(LaneRow.holder))} == {None}
    assert {row.due_at for row in world.rows(select(LaneRow.due_at))} == {None}
    assert {row.status for row in world.rows(select(DeliveryRow.status))} == {"done"}
