"""Other sites, other subdomains and other people's cookies: a browser is not used against its owner."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from werkzeug.test import TestResponse

from core.auth import cookies
from core.testing import Databases
from tests.attack.bodies import sample
from tests.attack.operations import Operation, operations
from tests.attack.scene import BUNDLED, assert_none, instance_of
from tests.attack.watch import Watch
from tests.identity.test_cookies import ACCESS, CSRF, OURS, REFRESH, Browser
from tests.identity.world import PASSWORD, World

JSON = {"Content-Type": "application/json"}
FOREIGN: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"},
    {"Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Mode": "same-origin"},
    {"Sec-Fetch-Site": "Same-Origin "},
    {"Sec-Fetch-Site": "same-origin, cross-site"},
    {"Sec-Fetch-Site": ""},
    {},
)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[World]:
    with instance_of(tmp_path_factory.mktemp("browsers"), databases, *BUNDLED) as house:
        yield World(house.app)


@pytest.fixture(scope="module")
def watch(world: World) -> Iterator[Watch]:
    made = Watch(world.app.extensions["jobstead.config"].database.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def changing(world: World) -> list[Operation]:
    """Operations that change something for somebody signed in."""
    return [op for op in operations(world.app) if op.changes and not op.public]


def browser(world: World, email: str | None = None) -> Browser:
    if email is None:
        email = f"surfer-{next(_numbers)}@example.org"
        world.person(email)
    made = Browser(world.app.test_client())
    made.answer = made.call(
        "POST", "/auth/login", json={"email": email, "password": PASSWORD, "cookies": True}
    )
    assert made.answer.status_code == 200, made.answer.text
    made.csrf = (made.answer.json or {})["csrfToken"]
    return made


def raw(on: Browser, method: str, url: str, headers: dict[str, str], **options: Any) -> TestResponse:
    """With exactly these headers, and the browser's cookies."""
    return on.client.open(url, method=method, base_url="https://localhost", headers=headers, **options)


def test_no_other_site_changes_anything(world: World, watch: Watch, changing: list[Operation]) -> None:
    """Every operation, from every kind of foreign page, even one that has learnt the CSRF token."""
    ann, faults = browser(world), []
    watch.mark()
    for op in changing:
        url = op.url(**{name: "01912d68-783e-7a03-8467-5661c1243ad4" for name, _ in op.places})
        body = {"json": sample(op.body)} if op.body is not None else {}
        for site in FOREIGN:
            answer = raw(ann, op.method, url, {**site, "X-CSRF-Token": ann.csrf}, **body)
            faults += _csrf(op, answer, str(site))
        for token in ("", "x", ann.csrf[:-1], ann.csrf + "A", ann.csrf.upper(), "null", ann.cookie(ACCESS)):
            answer = raw(ann, op.method, url, {**OURS, "X-CSRF-Token": token}, **body)
            faults += _csrf(op, answer, f"token {token[:8]!r}")
        faults += _csrf(op, raw(ann, op.method, url, OURS, **body), "no token")
    faults += [str(change) for change in watch.changes()]
    assert len(changing) > 25
    assert_none(faults)


def _csrf(op: Operation, answer: TestResponse, how: str) -> list[str]:
    code = (answer.json or {}).get("code")
    return (
        []
        if (answer.status_code, code) == (403, "csrf_failed")
        else [f"{op} {how}: {answer.status_code} {code}"]
    )


def test_each_of_the_three_signs_is_needed(world: World) -> None:
    """Every combination of right and wrong, as a check that asks for all in one place and for any in another
    would let one through."""
    ann = browser(world)
    for ours, token, body in itertools.product((True, False), repeat=3):
        headers = {
            "Sec-Fetch-Site": "same-origin" if ours else "cross-site",
            "X-CSRF-Token": ann.csrf if token else "wrong",
            "Content-Type": "application/json" if body else "text/plain",
        }
        answer = raw(ann, "PUT", "/api/v1/auth/profile", headers, data='{"name": "Changed"}')
        assert (answer.status_code == 200) == (ours and token and body), (ours, token, body, answer.text)


def test_the_token_of_another_session_is_worth_nothing(world: World) -> None:
    email = f"surfer-{next(_numbers)}@example.org"
    world.person(email)
    ann, again, bob = browser(world, email), browser(world, email), browser(world)
    other = {**OURS, "X-CSRF-Token": again.csrf}
    assert raw(ann, "PUT", "/api/v1/auth/profile", other, json={"name": "X"}).status_code == 403
    answer = raw(ann, "PUT", "/api/v1/auth/profile", {**OURS, "X-CSRF-Token": bob.csrf}, json={"name": "X"})
    assert answer.status_code == 403
    both = {**OURS, "X-CSRF-Token": f"{bob.csrf}, {ann.csrf}"}
    assert raw(ann, "PUT", "/api/v1/auth/profile", both, json={"name": "X"}).status_code == 403


def test_a_cookie_or_a_parameter_is_no_header(world: World) -> None:
    """What a subdomain can set (a cookie), and what a link can carry, shows nothing."""
    ann = browser(world)
    ann.client.set_cookie("X-CSRF-Token", ann.csrf, domain="localhost")
    for url in (
        f"/api/v1/auth/profile?X-CSRF-Token={ann.csrf}",
        f"/api/v1/auth/profile?csrfToken={ann.csrf}",
    ):
        assert raw(ann, "PUT", url, OURS, json={"name": "X"}).status_code == 403
    with_field = {"name": "X", "csrfToken": ann.csrf}
    assert raw(ann, "PUT", "/api/v1/auth/profile", OURS, json=with_field).status_code == 403


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain; charset=application/json",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; application/json",
        "text/json",
        "",
    ],
)
def test_bodies_that_a_form_can_send(world: World, kind: str) -> None:
    ann = browser(world)
    headers = {**OURS, "X-CSRF-Token": ann.csrf, **({"Content-Type": kind} if kind else {})}
    answer = raw(ann, "PUT", "/api/v1/auth/profile", headers, data='{"name": "Changed"}')
    assert answer.status_code in (403, 415)


@pytest.mark.parametrize("how", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_methods_are_not_overridden(world: World, how: str) -> None:
    """A GET, which needs no token, stays one."""
    ann = browser(world)
    for method in ("DELETE", "POST", "PUT", "PATCH"):
        for headers, query in (({how: method}, ""), ({}, f"?_method={method}"), ({}, f"?method={method}")):
            raw(ann, "GET", f"/api/v1/auth/sessions{query}", headers)
            raw(ann, "HEAD", f"/api/v1/auth/logout{query}", headers)
            raw(
                ann,
                "POST",
                f"/api/v1/auth/sessions{query}",
                {**headers, "Content-Type": "text/plain"},
                data="_method=DELETE",
            )
    assert ann.call("GET", "/auth/me").status_code == 200


def test_reading_changes_nothing(world: World, watch: Watch) -> None:
    """No GET has an effect: it is what other sites can have a browser send."""
    ann, faults = browser(world), []
    watch.mark()
    for op in operations(world.app):
        if not op.changes and "{provider}" not in op.path:
            url = op.url(**{name: "01912d68-783e-7a03-8467-5661c1243ad4" for name, _ in op.places})
            raw(ann, "GET", url, {"Sec-Fetch-Site": "cross-site"})
            faults += [f"{op} left {change}" for change in watch.changes()]
    assert_none(faults)


def test_nobody_is_signed_in_by_another_site(world: World) -> None:
    """Log-in by cookie from a foreign page would let its visitors work in the attacker's account."""
    email = f"surfer-{next(_numbers)}@example.org"
    world.person(email)
    body = {"email": email, "password": PASSWORD, "cookies": True}
    for site in FOREIGN:
        answer = world.app.test_client().post(
            "/api/v1/auth/login", json=body, headers=site, base_url="https://localhost"
        )
        assert answer.status_code == 403, site
        assert "Set-Cookie" not in answer.headers


def test_refreshing_by_cookie_from_another_site(world: World) -> None:
    ann = browser(world)
    for site in FOREIGN:
        assert (
            raw(ann, "POST", "/api/v1/auth/refresh", {**site, "X-CSRF-Token": ann.csrf}, json={}).status_code
            == 403
        )
    assert raw(ann, "POST", "/api/v1/auth/refresh", OURS, json={}).status_code == 403
    assert ann.call("POST", "/auth/refresh", json={}).status_code == 200


def test_signing_in_begins_a_session_of_its_own(world: World) -> None:
    """Whatever cookies were planted before: none of them is the session afterwards."""
    planted, victim = browser(world), f"surfer-{next(_numbers)}@example.org"
    world.person(victim)
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
    ann, bob = browser(world), world.person(f"surfer-{next(_numbers)}@example.org")
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


assert cookies.ACCESS == ACCESS
