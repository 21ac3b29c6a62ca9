"""Registering, verifying and logging in, and what strangers can learn from it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from argon2 import PasswordHasher
from sqlalchemy import event, func, select, update

from core.auth import auth, passwords
from core.auth.models import Password
from core.clock import utcnow
from core.db import metadata
from core.users import User
from core.web import web
from tests.identity.world import CROWD, PASSWORD, World, crowd, statuses


def test_the_way_in(world: World) -> None:
    assert world.register("Ann@Example.org", name="Ann").json == {"status": "verification_sent"}
    assert world.verify("ann@example.org", world.code("ann@example.org")).json == {"status": "verified"}

    answer = world.login(" ANN@example.org ")

    assert answer.status_code == 200
    tokens = answer.json or {}
    assert tokens["tokenType"] == "Bearer"
    assert tokens["expiresIn"] == 24 * 3600
    assert tokens["mustChangePassword"] is False
    me = world.signed_in("ann@example.org").me()
    assert (me["email"], me["name"], me["verified"], me["roles"]) == (
        "ann@example.org",
        "Ann",
        True,
        ["user"],
    )
    assert [o["kind"] for o in me["organisations"]] == ["personal"]
    assert me["organisationId"] == me["organisations"][0]["id"]


def test_each_step_is_told_to_others(world: World) -> None:
    ann = world.person("ann@example.org")
    user_id = str(world.user_id("ann@example.org"))

    assert [e["user_id"] for e in world.events("user.created")] == [user_id]
    assert [e["user_id"] for e in world.events("user.verified")] == [user_id]
    assert [e["amr"] for e in world.events("user.login")] == [["pwd"]]
    requested = world.events("otp.requested")
    assert [set(e) for e in requested] == [{"code_id", "user_id", "email", "purpose"}]
    assert ann.me()["id"] == user_id


def test_a_known_address_is_answered_like_an_unknown_one(world: World) -> None:
    world.person("known@example.org")
    world.register("waiting@example.org")

    answers = [world.register(f"{who}@example.org") for who in ("known", "waiting", "unknown")]
    again = [
        world.post("/auth/resend-otp", {"email": f"{who}@example.org"})
        for who in ("known", "waiting", "nobody")
    ]
    tries = [world.verify(f"{who}@example.org", "000000") for who in ("known", "waiting", "nobody")]

    assert {(a.status_code, a.data) for a in answers + again} == {(202, b'{"status":"verification_sent"}')}
    assert {(a.status_code, (a.json or {})["code"], (a.json or {})["detail"]) for a in tries} == {
        (400, "invalid_code", "This code is wrong, used or too old.")
    }
    assert [e["email"] for e in world.events("user.registration_repeated")] == ["known@example.org"]


def test_a_known_address_leaves_nothing_behind_and_takes_as_many_statements(world: World) -> None:
    world.person("known@example.org")
    world.register("waiting@example.org")
    tables = [table for name, table in metadata.tables.items() if name.startswith("core_")]

    def rows() -> dict[str, int]:
        counts = {t.name: world.execute(select(func.count()).select_from(t)).scalar_one() for t in tables}
        return {name: count for name, count in counts.items() if name not in ("core_code", "core_event")}

    engine = world.app.extensions["jobstead.db"].engine
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *said: seen.append(said[2].partition(" ")[0]))
    before, costs = rows(), []
    for who in ("known", "waiting", "new"):
        seen.clear()
        assert world.register(f"{who}@example.org").status_code == 202
        costs.append(seen.count("INSERT") + seen.count("UPDATE"))
        if who != "new":
            assert rows() == before
    assert [e["email"] for e in world.events("user.created")] == [
        "known@example.org",
        "waiting@example.org",
        "new@example.org",
    ]
    assert costs[0] == costs[2]
    assert costs[1] >= costs[2]


def test_registering_again_never_changes_a_verified_account(world: World) -> None:
    world.person("ann@example.org")
    world.register("ann@example.org", "another password", name="Mallory")

    assert world.login("ann@example.org", "another password").status_code == 401
    assert world.signed_in("ann@example.org").me()["name"] == "Somebody"


def test_a_stranger_who_registered_first_has_no_way_in(world: World) -> None:
    with time_machine.travel(utcnow() - timedelta(minutes=11)):
        world.register("ann@example.org", "the stranger's own")
    world.register("ann@example.org", PASSWORD, name="Ann")
    world.verify("ann@example.org", world.code("ann@example.org"))

    assert world.login("ann@example.org", "the stranger's own").status_code == 401
    assert world.signed_in("ann@example.org").me()["name"] == "Ann"


@pytest.mark.parametrize("others", [1, 2])
def test_while_a_code_is_on_its_way_nobody_else_says_what_it_confirms(world: World, others: int) -> None:
    world.register("ann@example.org", PASSWORD)
    for _ in range(others):
        world.register("ann@example.org", "the stranger's own")
    world.verify("ann@example.org", world.code("ann@example.org"))

    assert world.login("ann@example.org", "the stranger's own").status_code == 401
    assert world.login("ann@example.org").status_code == 401
    with time_machine.travel(utcnow() + timedelta(hours=1)):
        assert world.post("/auth/forgot-password", {"email": "ann@example.org"}).status_code == 202
        proof = {"email": "ann@example.org", "code": world.code("ann@example.org")}
        answer = world.app.test_client().put(
            "/api/v1/auth/reset-password", json={**proof, "newPassword": PASSWORD}
        )
        assert answer.status_code == 200, answer.text
        world.signed_in("ann@example.org")


def test_registering_twice_alike_changes_nothing(world: World) -> None:
    world.register("ann@example.org", PASSWORD)
    world.register("ann@example.org", PASSWORD)
    world.verify("ann@example.org", world.code("ann@example.org"))
    world.signed_in("ann@example.org")


@pytest.mark.parametrize(
    "name", ["see https://evil.example", "www.evil.example", "a@evil.example", "evil.example/x"]
)
def test_a_name_holds_no_address(world: World, name: str) -> None:
    assert world.register("ann@example.org", name=name).status_code == 422


def test_a_wrong_password_and_an_unknown_address_are_told_alike(world: World) -> None:
    world.person("ann@example.org")
    world.register("waiting@example.org")

    refused = [
        world.login("ann@example.org", "wrong"),
        world.login("waiting@example.org", "wrong"),
        world.login("nobody@example.org", "wrong"),
    ]

    assert {a.status_code for a in refused} == {401}
    assert (
        len(
            {
                tuple(sorted((k, str(v)) for k, v in (a.json or {}).items() if k != "requestId"))
                for a in refused
            }
        )
        == 1
    )


def test_the_right_password_of_an_unverified_account_sends_a_new_code(world: World) -> None:
    world.register("ann@example.org")
    first = world.code("ann@example.org")

    answer = world.login("ann@example.org")

    assert answer.status_code == 403
    assert (answer.json or {})["code"] == "email_not_verified"
    assert len(world.events("otp.requested")) == 2
    assert world.verify("ann@example.org", world.code("ann@example.org")).status_code == 200
    assert world.verify("ann@example.org", first).status_code == 400


def test_a_suspended_account_stays_out(world: World) -> None:
    ann = world.person("ann@example.org")
    world.execute(update(User).values(status="suspended"))

    assert (world.login("ann@example.org").json or {})["code"] == "account_suspended"
    assert world.login("ann@example.org", "wrong").status_code == 401
    assert world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]}).status_code == 401


def test_three_codes_an_hour_for_an_address_known_or_not(strict: World) -> None:
    strict.register("ann@example.org")
    for who in ("ann@example.org", "nobody@example.org"):
        answers = [strict.post("/auth/resend-otp", {"email": who}) for _ in range(4)]
        sent = 2 if who.startswith("ann") else 3
        assert statuses(answers) == {202: sent, 429: 4 - sent}
        assert int(answers[-1].headers["Retry-After"]) in range(3500, 3602)
    assert strict.register("ann@example.org").status_code == 429
    assert strict.register("nobody@example.org").status_code == 429
    assert (strict.login("ann@example.org").json or {})["code"] == "email_not_verified"
    assert len(strict.events("otp.requested")) == 3


def test_a_crowd_gets_three_codes_an_hour_too(strict: World) -> None:
    answers = crowd(lambda _: strict.post("/auth/resend-otp", {"email": "nobody@example.org"}))

    assert statuses(answers) == {202: 3, 429: CROWD - 3}


def test_a_crowd_that_registers_one_address_makes_one_account(world: World) -> None:
    answers = crowd(lambda n: world.register("ann@example.org", f"{PASSWORD} {n}"), size=8)

    assert statuses(answers) == {202: 8}
    assert len(world.events("user.created")) == 1
    assert world.verify("ann@example.org", world.code("ann@example.org")).status_code == 200


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("12345", "6 to 256"),
        ("x" * 257, None),
        ("123456", "commonest"),
        ("BaseBall", "commonest"),
        ("ann.lee", "easy to guess"),
        ("ann.lee@example.org", "easy to guess"),
        ("Ann Lee", "easy to guess"),
        ("zzzzzzzzz", "easy to guess"),
    ],
)
def test_poor_passwords_are_refused(world: World, password: str, why: str | None) -> None:
    answer = world.register("ann.lee@example.org", password, name="Ann Lee")

    assert answer.status_code == 422
    assert set((answer.json or {})["errors"]) == {"password"}
    assert why is None or why in (answer.json or {})["errors"]["password"][0]
    assert world.events("user.created") == []


def test_passwords_are_taken_as_they_come(world: World) -> None:
    odd = "  Ünïcode \U0001f511 e\u0301 "
    world.person("ann@example.org", odd)

    assert world.login("ann@example.org", odd.strip()).status_code == 401
    assert world.login("ann@example.org", "  Ünïcode \U0001f511 é ").status_code == 401


def test_a_hash_with_other_parameters_is_made_anew_at_log_in(world: World) -> None:
    world.person("ann@example.org")
    world.execute(update(Password).values(hash=PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)))

    world.signed_in("ann@example.org")

    stored = world.execute(select(Password.hash)).scalar_one()
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    world.signed_in("ann@example.org")


@pytest.fixture
def hashing(world: World) -> Iterator[Callable[[], None]]:
    """Nobody's password is hashed until this is called."""
    parts = auth(world.app)
    done = threading.Event()
    for _ in range(parts.passwords._workers._max_workers):
        parts.passwords._workers.submit(done.wait)
    yield done.set
    done.set()


def test_who_waits_too_long_to_be_hashed_is_asked_to_come_back(
    world: World, hashing: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_PATIENCE", 0.01)
    busy = world.login("ann@example.org")
    hashing()
    monkeypatch.setattr(passwords, "_PATIENCE", 60.0)

    assert (busy.status_code, (busy.json or {})["code"]) == (503, "busy")
    assert busy.headers["Retry-After"]
    assert world.login("ann@example.org").status_code == 401


def test_who_waits_to_be_hashed_leaves_threads_to_others(world: World, hashing: Callable[[], None]) -> None:
    room = web(world.app).room
    places = room._initial_value
    threads = auth(world.app).config.server.threads
    answers: list[int] = []
    waiting = [
        threading.Thread(target=lambda: answers.append(world.login("ann@example.org").status_code))
        for _ in range(places)
    ]
    for thread in waiting:
        thread.start()
    while room._value:
        time.sleep(0.01)
    busy = world.login("ann@example.org")
    others = world.app.test_client().get("/api/v1/meta")
    hashing()
    for thread in waiting:
        thread.join()

    assert places < threads
    assert (busy.status_code, (busy.json or {})["code"]) == (503, "busy")
    assert busy.headers["Retry-After"]
    assert others.status_code == 200
    assert answers == [401] * places
    assert world.login("ann@example.org").status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"email": "ann@example.org"}, 422),
        ({"email": "no address", "password": PASSWORD}, 422),
        ({"email": "ann@example.org\nBcc: x@y.z", "password": PASSWORD}, 422),
        ({"email": ["ann@example.org"], "password": PASSWORD}, 422),
        ({"email": "ann@example.org", "password": 123456789}, 422),
        ({"email": "ann@example.org", "password": None}, 422),
        ({"email": "ann@example.org", "password": PASSWORD, "role": "superadmin"}, 422),
        ({"email": "ann@example.org", "password": PASSWORD, "name": "a\u202eb"}, 422),
        ({"email": "a" * 400 + "@example.org", "password": PASSWORD}, 422),
        ([], 422),
        ("x", 422),
        (None, 415),
        ({"email": "ann@example.org", "password": "x" * 20_000}, 413),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(world: World, body: object, status: int) -> None:
    answer = world.post("/auth/register", body)

    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert world.events("user.created") == []
