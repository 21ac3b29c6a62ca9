"""Where one is signed in, and ending it from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from core.auth import sessions
from core.auth.models import AuthSession
from core.clock import utcnow
from core.web import Server
from tests.identity.world import CROWD, Person, World, crowd, statuses

ANN = "ann@example.org"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(ANN)


@pytest.fixture
def bob(world: World) -> Person:
    return world.person("bob@example.org")


def _list(who: Person) -> list[dict[str, Any]]:
    answer = who.call("GET", "/auth/sessions")
    assert answer.status_code == 200, answer.text
    return list(answer.json["items"])


def _current(who: Person) -> str:
    return next(str(s["id"]) for s in _list(who) if s["current"])


def _end(who: Person, session: str) -> int:
    return who.call("DELETE", f"/auth/sessions/{session}").status_code


def _lives(who: Person) -> bool:
    refreshed = who.world.post("/auth/refresh", {"refreshToken": who.tokens["refreshToken"]})
    return (who.call("GET", "/auth/me").status_code, refreshed.status_code) != (401, 401)


def test_everybody_sees_their_own_sessions(world: World, ann: Person, bob: Person) -> None:
    phone = world.signed_in(ANN)

    listed = _list(ann)

    assert len(listed) == 2
    assert [s["current"] for s in listed].count(True) == 1
    assert _current(ann) != _current(phone)
    assert set(listed[0]) == {
        "id",
        "ip",
        "userAgent",
        "amr",
        "organisationId",
        "createdAt",
        "lastUsedAt",
        "expiresAt",
        "current",
    }
    assert {s["id"] for s in _list(bob)}.isdisjoint(s["id"] for s in listed)
    assert listed[0]["userAgent"].startswith("Werkzeug")


def test_what_has_ended_or_slept_too_long_is_not_listed(world: World, ann: Person) -> None:
    phone, tablet, watch = (world.signed_in(ANN) for _ in range(3))
    watch.call("POST", "/auth/logout")
    past = utcnow() - timedelta(days=7, seconds=1)
    for who, values in ((phone, {"expires_at": utcnow()}), (tablet, {"last_used_at": past})):
        world.execute(update(AuthSession).where(AuthSession.id == UUID(_current(who))).values(**values))

    assert [s["current"] for s in _list(ann)] == [True]


def test_one_is_ended_from_another(world: World, ann: Person) -> None:
    phone, tablet = world.signed_in(ANN), world.signed_in(ANN)

    assert _end(ann, _current(phone)) == 204

    assert not _lives(phone)
    assert _lives(ann)
    assert _lives(tablet)
    assert [e["reason"] for e in world.events("session.ended")] == ["revoked"]


def test_the_asking_one_may_be_ended_too(ann: Person) -> None:
    assert _end(ann, _current(ann)) == 204
    assert not _lives(ann)


def test_nobody_ends_what_is_not_theirs(world: World, ann: Person, bob: Person) -> None:
    phone = world.signed_in(ANN)
    ended = _current(phone)
    _end(ann, ended)

    answers = [bob.call("DELETE", f"/auth/sessions/{s}") for s in (_current(ann), ended, uuid4())]

    assert [a.status_code for a in answers] == [404, 404, 404]
    assert len({(a.json["code"], a.json.get("detail")) for a in answers}) == 1
    assert _end(ann, ended) == 404
    assert _lives(ann)


def test_all_others_are_ended(world: World, ann: Person, bob: Person) -> None:
    others = [world.signed_in(ANN) for _ in range(3)]

    assert ann.call("DELETE", "/auth/sessions").status_code == 204

    assert not any(map(_lives, others))
    assert _lives(ann)
    assert _lives(bob)
    assert len(_list(ann)) == 1
    assert [e["reason"] for e in world.events("session.ended")] == ["others_revoked"] * 3


def test_of_a_crowd_that_ends_one_session_one_is_served(world: World, ann: Person) -> None:
    phone = _current(world.signed_in(ANN))

    answers = crowd(lambda _: ann.call("DELETE", f"/auth/sessions/{phone}"))

    assert statuses(answers) == {204: 1, 404: CROWD - 1}
    assert len(world.events("session.ended")) == 1


@pytest.mark.parametrize("path", ["/auth/sessions/{}", "/auth/sessions"])
def test_an_end_is_felt_in_other_processes_within_five_seconds(
    world: World,
    ann: Person,
    make: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    phone = world.signed_in(ANN)
    elsewhere = Person(World(make()), ANN, phone.tokens)
    assert elsewhere.call("GET", "/auth/me").status_code == 200
    assert ann.call("DELETE", path.format(_current(phone))).status_code == 204

    monkeypatch.setattr(sessions, "FRESH_FOR", 0.0)  # as if five seconds had gone by

    assert elsewhere.call("GET", "/auth/me").status_code == 401


def test_nobody_known_sees_and_ends_nothing(world: World) -> None:
    client = world.app.test_client()
    assert client.get("/api/v1/auth/sessions").status_code == 401
    assert client.delete("/api/v1/auth/sessions").status_code == 401
    assert client.delete(f"/api/v1/auth/sessions/{uuid4()}").status_code == 401


def test_an_id_that_is_none(ann: Person) -> None:
    assert _end(ann, "mine") == 404
