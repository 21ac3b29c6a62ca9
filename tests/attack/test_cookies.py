"""Cookies planted, tossed and doubled: whoever is recognised, it is by what they were given themselves."""

from __future__ import annotations

from collections.abc import Iterator
from http.cookies import SimpleCookie

import pytest

from core.testing import Databases
from tests.attack.scene import BUNDLED, instance_of
from tests.attack.surfing import browser, newcomer, raw
from tests.identity.test_cookies import ACCESS, CSRF, OURS, REFRESH, Browser
from tests.identity.world import PASSWORD, World


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    with instance_of(tmp_path_factory.mktemp("browsers"), databases, *BUNDLED) as house:
        yield World(house.app)


def test_signing_in_begins_a_session_of_its_own(world: World) -> None:
    """Whatever cookies were planted before: none of them is the session afterwards."""
    planted, victim = browser(world), newcomer(world)
    client = world.app.test_client()
    for name in (ACCESS, REFRESH, CSRF):
        client.set_cookie(name, planted.cookie(name), domain="localhost", secure=True, path="/")
    client.set_cookie("session", "fixed", domain="localhost")
    mine = Browser(client, csrf=planted.csrf)
    mine.answer = mine.call(
        "POST", "/auth/login", json={"email": victim, "password": PASSWORD, "cookies": True}
    )
    assert mine.answer.status_code == 200
    assert mine.cookie(ACCESS) != planted.cookie(ACCESS)
    assert (mine.answer.json or {})["csrfToken"] != planted.csrf
    assert (planted.call("GET", "/auth/me").json or {})["email"] != victim
    assert (mine.call("GET", "/auth/me").json or {})["email"] == victim


def test_cookies_that_a_parent_domain_could_set_are_none(world: World) -> None:
    """Each is of this host alone, over https alone, and its name says so, which browsers enforce."""
    ann = browser(world)
    assert ann.answer is not None
    lines = ann.answer.headers.getlist("Set-Cookie")
    assert len(lines) == 3
    for line in lines:
        jar: SimpleCookie = SimpleCookie(line)
        ((name, morsel),) = jar.items()
        assert name.startswith("__Host-")
        assert (morsel["path"], morsel["domain"], bool(morsel["secure"])) == ("/", "", True)
        assert bool(morsel["httponly"]) == (name != CSRF)
        assert morsel["samesite"] in ("Lax", "Strict")
    for name in (
        "jobstead_access",
        "__host-jobstead_access",
        " __Host-jobstead_access",
        "__Host-jobstead_access\t",
    ):
        header = f"{name}={ann.cookie(ACCESS)}"
        answer = world.app.test_client().get("/api/v1/auth/me", headers={"Cookie": header})
        if name.strip() != ACCESS:
            assert answer.status_code == 401, name


def test_a_tossed_cookie_does_not_mix_two_people(world: World) -> None:
    """Two cookies of one name: whoever is recognised, it takes their own token to change anything."""
    ann, bob = browser(world), browser(world)
    for first, second in ((ann, bob), (bob, ann)):
        header = f"{ACCESS}={first.cookie(ACCESS)}; {ACCESS}={second.cookie(ACCESS)}"
        shown = world.app.test_client().get("/api/v1/auth/me", headers={"Cookie": header})
        known = (shown.json or {}).get("email")
        for who in (first, second):
            answer = world.app.test_client().put(
                "/api/v1/auth/profile",
                json={"name": "Tossed"},
                headers={"Cookie": header, **OURS, "X-CSRF-Token": who.csrf},
            )
            whose = (who.call("GET", "/auth/me").json or {})["email"]
            assert (answer.status_code == 200) == (whose == known)


def test_bearer_and_cookie_together(world: World) -> None:
    """A token in the header is asked for no CSRF token, and then the cookie counts for nothing."""
    ann, bob = browser(world), world.signed_in(newcomer(world))
    headers = {"Authorization": f"Bearer {bob.tokens['accessToken']}", "Sec-Fetch-Site": "cross-site"}
    answer = raw(ann, "PUT", "/api/v1/auth/profile", headers, json={"name": "Bob's"})
    assert answer.status_code == 200
    assert (answer.json or {})["email"] == bob.email
    assert (ann.call("GET", "/auth/me").json or {})["name"] != "Bob's"
    for header in ("Bearer", "Bearer x", "Basic x", ""):
        answer = raw(ann, "PUT", "/api/v1/auth/profile", {"Authorization": header}, json={"name": "X"})
        assert answer.status_code in (401, 403), header


def test_no_answer_lets_another_origin_read_it(world: World) -> None:
    ann = browser(world)
    for origin in ("https://evil.example", "null", "https://localhost.evil.example"):
        for method, url in (
            ("GET", "/api/v1/auth/me"),
            ("OPTIONS", "/api/v1/auth/me"),
            ("GET", "/api/v1/meta"),
        ):
            asked = {
                "Origin": origin,
                "Access-Control-Request-Method": "PUT",
                "Access-Control-Request-Headers": "x-csrf-token",
            }
            answer = raw(ann, method, url, asked)
            assert answer.headers.get("Access-Control-Allow-Origin") not in (origin, "*", "null")
            assert answer.headers.get("X-Frame-Options") == "DENY"
            assert answer.headers.get("X-Content-Type-Options") == "nosniff"
    assert raw(ann, "GET", "/api/v1/auth/me", {}).headers["Cache-Control"] == "no-store"
