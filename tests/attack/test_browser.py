"""Other sites and their forms: a browser is not used against its owner."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from core.auth import cookies
from core.testing import Databases
from tests.attack.bodies import sample
from tests.attack.operations import Operation, operations
from tests.attack.scene import BUNDLED, assert_none, instance_of
from tests.attack.surfing import browser, newcomer, raw
from tests.attack.watch import Watch
from tests.identity.test_cookies import ACCESS, OURS
from tests.identity.world import PASSWORD, World

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
    email = newcomer(world)
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
    email = newcomer(world)
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


assert cookies.ACCESS == ACCESS
