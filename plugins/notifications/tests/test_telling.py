"""From an event of another plugin to one row, however often it is handled."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import time_machine

from core.api import IntegrityError, acting_for, begin, utcnow
from plugins.notifications.api import notify

from .conftest import World, inbox, keys


def test_one_fact_is_told_once(world: World) -> None:
    world.happens(world.ada, "one", "one")
    assert keys(world.ada) == ["one"]


def test_one_key_may_be_told_to_two_people(world: World) -> None:
    world.happens(world.ada, "one")
    world.happens(world.bob, "one")
    assert (keys(world.ada), keys(world.bob)) == (["one"], ["one"])


def test_nothing_to_tell_is_no_row(world: World) -> None:
    world.happens(world.ada, "nothing", "one")
    assert keys(world.ada) == ["one"]


def test_what_could_not_be_rendered_is_told_later(world: World) -> None:
    world.teller.MOOD["broken"] = True
    world.happens(world.ada, "one")
    assert inbox(world.ada) == []
    world.teller.MOOD["broken"] = False
    with time_machine.travel(utcnow() + timedelta(minutes=1)):
        world.instance.drain()
    assert keys(world.ada) == ["one"]


def test_a_long_title_is_cut(world: World) -> None:
    world.happens(world.ada, "x" * 200)
    (item,) = inbox(world.ada)
    assert len(item["title"]) == 200
    assert item["title"].endswith("x…")


def tell(world: World, user_id: UUID, key: str) -> bool:
    organisation = UUID(world.ada.me["organisationId"])
    with world.instance.app.app_context(), begin(), acting_for(organisation):
        return notify(user_id=user_id, type="news", title="t", body="b", key=key)


def test_of_many_who_tell_at_once_one_does(world: World) -> None:
    told: list[bool] = []
    start = threading.Barrier(6)
    user = world.ada.id

    def one() -> None:
        start.wait()
        told.append(tell(world, user, "same"))

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [False] * 5 + [True]
    assert len(inbox(world.ada)) == 1


def test_a_key_that_does_not_fit_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="200 characters"):
        tell(world, world.ada.id, "x" * 201)


def test_nobody_cannot_be_told(world: World) -> None:
    with pytest.raises(IntegrityError):
        tell(world, uuid4(), "one")
