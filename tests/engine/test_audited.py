"""What an event says of itself to an audit log, and what of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from core import context
from core.engine import AUDITED, Delivery, Event, audit_facts, emit, register_event, register_handler
from core.engine.models import EventRow
from tests.engine import toy
from tests.engine.world import World


@dataclass(frozen=True)
class Painted(Event, type="toy.painted", target=("wall", "wall_id"), audited=("colour", "by")):
    wall_id: UUID
    colour: str
    by: UUID
    secret: str = "pssst"


@dataclass(frozen=True)
class Closed(Event, type="toy.closed", target=("organisation", None), audited=()):
    why: str


def test_what_is_kept_is_named_field_by_field(world: World) -> None:
    register_event(world.app, "toy", Painted)
    register_event(world.app, "toy", Closed)
    wall, by = uuid4(), uuid4()
    with world.app.app_context():
        facts = audit_facts(Painted(wall, "red", by), organisation=world.here)
        assert (facts.action, facts.target_type, facts.target_id) == ("toy.painted", "wall", str(wall))
        assert facts.data == {"colour": "red", "by": str(by)}
        facts = audit_facts(Closed("so"), organisation=world.here)
        assert (facts.target_type, facts.target_id, facts.data) == ("organisation", str(world.here), {})
        with pytest.raises(ValueError, match=r"toy\.pinged is not audited"):
            audit_facts(toy.Pinged(1))


def test_whoever_hears_what_is_audited_hears_it_whenever_it_was_declared(world: World) -> None:
    heard: list[tuple[str, str | None, str | None]] = []

    def hear(event: Event, delivery: Delivery) -> None:
        heard.append((event.type, delivery.ip, delivery.request_id))

    register_event(world.app, "toy", Painted)
    register_handler(world.app, "toy", AUDITED, hear)
    register_event(world.app, "toy", Closed)
    with context.request("abcdefgh", address="192.0.2.1"), world.acting(world.here):
        emit(Painted(uuid4(), "red", uuid4()))
        emit(toy.Pinged(1))
    with world.acting(world.here):
        emit(Closed("so"))
    world.drain()
    assert sorted(heard) == [("toy.closed", None, None), ("toy.painted", "192.0.2.1", "abcdefgh")]
    rows = world.rows(select(EventRow.ip).where(EventRow.type == "toy.pinged"))
    assert list(rows[0]) == ["192.0.2.1"]


def test_work_done_for_a_request_comes_from_nowhere() -> None:
    with context.request("abcdefgh", address="192.0.2.1"):
        with context.request("ijklmnop"):
            assert context.address() is None
        assert context.address() == "192.0.2.1"


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"audited": ()}, "names its target"),
        ({"target": ("wall", "wall"), "audited": ()}, "has no field wall"),
        ({"target": ("wall", None), "audited": ("number", "colour")}, "has no field colour"),
    ],
)
def test_a_declaration_that_cannot_be(how: dict[str, object], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):

        class Wrong(Event, type="toy.wrong", **how):
            number: int


def test_a_field_cannot_be_called_target() -> None:
    with pytest.raises(TypeError, match="target"):

        class Wrong(Event, type="toy.wrong"):
            target: str
