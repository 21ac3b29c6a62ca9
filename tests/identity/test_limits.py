"""How often one may try: by network address, in moving windows, whatever one says of oneself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from redis import ConnectionPool
from redis.exceptions import TimeoutError

from core.auth.passwords import Passwords
from core.clock import utcnow
from core.web import Server
from tests.identity.world import CROWD, PASSWORD, World, crowd, statuses
from tests.support.servers import redis_database

ANN = "ann@example.org"
SHIPPED = {"JOBSTEAD_LIMITS_SCALE": "1"}


@pytest.fixture(params=["redis", "memory"])
def shipped(request: pytest.FixtureRequest, make: Callable[..., Server]) -> Iterator[World]:
    """Limits as they are shipped, counted in Redis or in this process."""
    if request.param == "memory":
        yield World(make(**SHIPPED))
        return
    url = redis_database()
    if url is None:
        pytest.skip("no redis-server on this machine")
    world = World(make(**SHIPPED, REDIS_URL=url))
    yield world
    world.app.extensions["jobstead.redis"].close()


@pytest.fixture
def alone(make: Callable[..., Server]) -> World:
    return World(make(**SHIPPED))


def _from(address: str) -> dict[str, Any]:
    return {"environ_base": {"REMOTE_ADDR": address}}


def _login(world: World, address: str = "192.0.2.1", **more: Any) -> Any:
    return world.post("/auth/login", {"email": ANN, "password": PASSWORD, **more}, **_from(address))


def _named(answer: Any) -> tuple[int, str]:
    return answer.status_code, (answer.json or {}).get("code", "")


def test_five_log_ins_in_a_quarter_of_an_hour_from_one_address(shipped: World) -> None:
    answers = [_login(shipped) for _ in range(6)]

    assert [a.status_code for a in answers] == [401] * 5 + [429]
    assert [a.headers["RateLimit"].partition(";t=")[0] for a in answers] == [
        f'"auth.login";r={left}' for left in (4, 3, 2, 1, 0, 0)
    ]
    last = answers[-1]
    assert _named(last) == (429, "rate_limited")
    assert last.content_type == "application/problem+json"
    assert last.headers["RateLimit-Policy"] == '"auth.login";q=5;w=900'
    assert int(last.headers["Retry-After"]) in range(880, 901)
    assert "auth.login" in last.json["detail"]
    assert "5/15m" in last.json["detail"]
    assert _login(shipped, "192.0.2.2").status_code == 401


def test_the_window_moves_and_what_was_refused_does_not_count(shipped: World) -> None:
    for _ in range(8):
        _login(shipped)
    with time_machine.travel(utcnow() + timedelta(minutes=14, seconds=30)):
        assert _login(shipped).status_code == 429
    with time_machine.travel(utcnow() + timedelta(minutes=15, seconds=2)):
        assert [_login(shipped).status_code for _ in range(6)] == [401] * 5 + [429]


def test_a_crowd_gets_no_more(shipped: World) -> None:
    answers = crowd(lambda _: _login(shipped))

    assert statuses(answers) == {401: 5, 429: CROWD - 5}


def test_the_key_is_nothing_a_caller_says(shipped: World) -> None:
    for number in range(5):
        assert (
            shipped.post(
                "/auth/login",
                {"email": f"{number}@example.org", "password": PASSWORD},
                headers={"X-Forwarded-For": f"10.0.0.{number}", "User-Agent": str(number)},
                **_from("2001:db8:1:2::1"),
            ).status_code
            == 401
        )
    tries = [
        _login(shipped, "2001:db8:1:2:ffff::7"),
        _login(shipped, "2001:db8:1:2::1", deviceId=str(uuid4())),
        shipped.post("/auth/login?x=1", "no log-in at all", **_from("2001:db8:1:2::2")),
    ]

    assert [a.status_code for a in tries] == [429] * 3
    assert _login(shipped, "2001:db8:1:3::1").status_code == 401
    for _ in range(5):
        _login(shipped, "::ffff:198.51.100.9")
    assert _login(shipped, "198.51.100.9").status_code == 429


def test_behind_a_proxy_its_word_counts(make: Callable[..., Server]) -> None:
    world = World(make(**SHIPPED, TRUSTED_PROXIES="1"))

    def tried(said: str) -> int:
        body = {"email": ANN, "password": PASSWORD}
        return world.post("/auth/login", body, headers={"X-Forwarded-For": said}).status_code

    assert [tried(f"10.9.9.{n}, 192.0.2.7") for n in range(6)] == [401] * 5 + [429]
    assert tried("192.0.2.7, 192.0.2.8") == 401


def test_nothing_is_hashed_or_written_for_who_comes_too_often(
    alone: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(Passwords, "hash", lambda _self, password: hashed.append(password) or "x")

    def register(number: int) -> Any:
        return alone.register(f"{number}@example.org", PASSWORD)

    assert [register(n).status_code for n in range(4)] == [202] * 3 + [429]
    assert len(hashed) == 3
    assert len(alone.events("user.created")) == 3


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "verify-otp"),
        ("POST", "resend-otp"),
        ("POST", "forgot-password"),
        ("PUT", "reset-password"),
        ("POST", "refresh"),
        ("POST", "setup"),
    ],
)
def test_five_a_minute_of_anything_else(alone: World, method: str, path: str) -> None:
    client = alone.app.test_client()
    answers = [client.open(f"/api/v1/auth/{path}", method=method, json={"no": 1}) for _ in range(6)]

    assert [a.status_code for a in answers] == [422] * 5 + [429]
    assert '"auth.*";q=5;w=60' in answers[-1].headers["RateLimit-Policy"]
    with time_machine.travel(utcnow() + timedelta(seconds=62)):
        again = client.open(f"/api/v1/auth/{path}", method=method, json={"no": 1})
    assert again.status_code == 422


def test_each_route_has_a_window_of_its_own(alone: World) -> None:
    for _ in range(6):
        alone.verify(ANN, "123456")

    assert alone.post("/auth/refresh", {}).status_code == 401
    assert alone.app.test_client().get("/api/v1/auth/me").status_code == 401


def test_several_windows_at_once_and_the_exhausted_one_is_named(alone: World) -> None:
    def asked(minute: int) -> list[Any]:
        with time_machine.travel(utcnow() + timedelta(minutes=minute)):
            return [alone.post("/auth/resend-otp", {"email": f"{uuid4().hex}@example.org"}) for _ in range(6)]

    first, second, third = asked(0), asked(2), asked(4)

    assert [a.status_code for a in first] == [202] * 5 + [429]
    assert first[0].headers["RateLimit-Policy"] == '"auth.*";q=5;w=60, "auth.mail";q=10;w=3600'
    assert "auth.*" in first[-1].json["detail"]
    assert [a.status_code for a in second] == [202] * 5 + [429]  # what the minute refused is not in the hour
    assert "auth.mail" in third[0].json["detail"]
    assert int(third[0].headers["Retry-After"]) > 3000


def test_a_stolen_token_guesses_no_password(alone: World) -> None:
    ann = alone.person(ANN)
    body = {"currentPassword": "a guess", "newPassword": "another good one"}

    def guess(number: int) -> Any:
        return ann.call("PUT", "/auth/change-password", json=body, **_from(f"198.51.100.{number}"))

    assert [guess(n).status_code for n in range(6)] == [422] * 5 + [429]
    assert alone.signed_in(ANN).me()["email"] == ANN


def test_an_operator_gives_other_rates(
    make: Callable[..., Server], capfd: pytest.CaptureFixture[str]
) -> None:
    chosen = {"auth.login": "2/m 3/h", "auth.register": "off", "auth.lgoin": "1/s"}
    world = World(make(**SHIPPED, JOBSTEAD_LIMITS__POLICIES=json.dumps(chosen)))

    assert [_login(world).status_code for _ in range(3)] == [401, 401, 429]
    with time_machine.travel(utcnow() + timedelta(seconds=62)):
        answers = [_login(world) for _ in range(2)]
    assert [a.status_code for a in answers] == [401, 429]
    assert (
        answers[0].headers["RateLimit-Policy"] == '"auth.login 60s";q=2;w=60, "auth.login 3600s";q=3;w=3600'
    )
    assert [world.register(f"{n}@example.org").status_code for n in range(5)] == [202] * 5
    assert "auth.lgoin" in capfd.readouterr().err


@pytest.mark.parametrize("scale", ["2", "0.1"])
def test_everything_is_multiplied(make: Callable[..., Server], scale: str) -> None:
    world = World(make(JOBSTEAD_LIMITS_SCALE=scale))
    most = {"2": 10, "0.1": 1}[scale]

    assert [_login(world).status_code for _ in range(most + 1)] == [401] * most + [429]


def test_a_redis_that_hangs_is_asked_once_and_never_means_no_limit(
    make: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(make(**SHIPPED, REDIS_URL="redis://127.0.0.1:1/0"))
    asked: list[str] = []

    def hangs(*_: Any, **__: Any) -> Any:
        asked.append("once")
        raise TimeoutError

    monkeypatch.setattr(ConnectionPool, "get_connection", hangs)

    assert [_login(world).status_code for _ in range(6)] == [401] * 5 + [429]
    assert len(asked) == 1
