"""Browsers: tokens that scripts cannot read, and no other site that acts through them."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.auth import auth
from core.auth.models import AuthSession
from tests.identity.world import CROWD, PASSWORD, Person, World, crowd, statuses

ANN, BOB = "ann@example.org", "bob@example.org"
OURS = {"Sec-Fetch-Site": "same-origin"}
ACCESS, REFRESH, CSRF = (f"__Host-jobstead_{name}" for name in ("access", "refresh", "csrf"))


@dataclass
class Browser:
    """One that keeps cookies; ``csrf`` is what its page knows."""

    client: FlaskClient
    csrf: str = ""
    answer: TestResponse | None = None

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        headers = {**OURS, "X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return self.client.open(
            f"/api/v1{path}", method=method, base_url="https://localhost", headers=headers, **options
        )

    def cookie(self, name: str) -> str:
        found = self.client.get_cookie(name, domain="localhost")
        return found.value if found else ""


def _browser(world: World, email: str, password: str = PASSWORD) -> Browser:
    browser = Browser(world.app.test_client())
    body = {"email": email, "password": password, "cookies": True}
    browser.answer = browser.call("POST", "/auth/login", json=body)
    browser.csrf = (browser.answer.json or {}).get("csrfToken", "")
    return browser


@pytest.fixture
def ann(world: World) -> Browser:
    world.person(ANN).call("POST", "/auth/logout")
    return _browser(world, ANN)


@pytest.fixture
def bob(world: World) -> Browser:
    world.person(BOB).call("POST", "/auth/logout")
    return _browser(world, BOB)


def _set(answer: TestResponse) -> dict[str, Any]:
    jar: SimpleCookie = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        jar.load(line)
    return dict(jar)


def test_tokens_go_into_cookies_that_scripts_cannot_read(ann: Browser) -> None:
    assert ann.answer is not None
    body, given = ann.answer.json or {}, _set(ann.answer)

    assert set(body) == {
        "tokenType",
        "csrfToken",
        "expiresIn",
        "refreshExpiresAt",
        "userId",
        "mustChangePassword",
    }
    assert body["tokenType"] == "Cookie"
    assert set(given) == {ACCESS, REFRESH, CSRF}
    assert {name: (c["samesite"], bool(c["httponly"])) for name, c in given.items()} == {
        ACCESS: ("Lax", True),
        REFRESH: ("Strict", True),
        CSRF: ("Strict", False),
    }
    assert all(c["secure"] and c["path"] == "/" and not c["domain"] for c in given.values())
    assert int(given[ACCESS]["max-age"]) == 24 * 3600
    assert 0 <= 7 * 24 * 3600 - int(given[REFRESH]["max-age"]) < 60
    assert ann.cookie(CSRF) == ann.csrf
    for secret in (ann.cookie(ACCESS), ann.cookie(REFRESH)):
        assert secret
        assert secret not in ann.answer.text
    assert ann.call("GET", "/auth/me").json["email"] == ANN


def test_without_being_asked_for_there_are_no_cookies(world: World, ann: Browser) -> None:
    answer = world.login(ANN)

    assert "Set-Cookie" not in answer.headers
    assert {"accessToken", "refreshToken"} <= set(answer.json or {})


def test_a_page_of_ours_may_change_things(ann: Browser) -> None:
    assert ann.call("PUT", "/auth/profile", json={"name": "Ann"}).json["name"] == "Ann"
    assert ann.call("DELETE", "/auth/sessions").status_code == 204


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "x" * 43},
        {"X-CSRF-Token": "é"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
)
def test_other_sites_may_not(ann: Browser, headers: dict[str, str]) -> None:
    for method, path in (("PUT", "/auth/profile"), ("POST", "/auth/logout"), ("DELETE", "/auth/sessions")):
        answer = ann.call(method, path, data='{"name": "Mallory"}', headers={**_JSON, **headers})
        assert (answer.status_code, (answer.json or {})["code"]) == (403, "csrf_failed")

    assert ann.call("GET", "/auth/me").json["name"] == "Somebody"


_JSON = {"Content-Type": "application/json"}


def test_another_sessions_token_is_worth_nothing(world: World, ann: Browser, bob: Browser) -> None:
    phone = _browser(world, ANN)
    for foreign in (bob.csrf, phone.csrf):
        answer = ann.call("PUT", "/auth/profile", json={}, headers={"X-CSRF-Token": foreign})
        assert answer.status_code == 403
    # nor does a cookie that somebody planted beside it
    ann.client.set_cookie(CSRF, bob.csrf, domain="localhost", secure=True)
    answer = ann.call("PUT", "/auth/profile", json={}, headers={"X-CSRF-Token": bob.csrf})
    assert answer.status_code == 403


def test_no_other_site_signs_its_visitors_in(world: World) -> None:
    world.person(ANN)
    before = len(world.execute(select(AuthSession.id)).all())
    body = {"email": ANN, "password": PASSWORD, "cookies": True}
    for site in ("cross-site", "same-site", ""):
        answer = Browser(world.app.test_client()).call(
            "POST", "/auth/login", json=body, headers={"Sec-Fetch-Site": site}
        )
        assert (answer.status_code, answer.json["code"]) == (403, "csrf_failed")
        assert "Set-Cookie" not in answer.headers

    assert len(world.execute(select(AuthSession.id)).all()) == before


def test_a_wrong_password_sets_no_cookie(world: World, ann: Browser) -> None:
    answer = _browser(world, ANN, "wrong").answer

    assert answer is not None
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


def test_refreshing_exchanges_the_cookie(ann: Browser) -> None:
    before = ann.cookie(REFRESH)

    answer = ann.call("POST", "/auth/refresh", json={})

    assert answer.status_code == 200
    assert not {"accessToken", "refreshToken"} & set(answer.json)
    assert answer.json["csrfToken"] == ann.csrf  # the session's, so that other pages of it go on
    assert ann.cookie(REFRESH) not in ("", before)
    assert ann.call("GET", "/auth/me").status_code == 200


def test_no_other_site_refreshes(ann: Browser) -> None:
    before = ann.cookie(REFRESH)
    for headers in ({"X-CSRF-Token": ""}, {"Sec-Fetch-Site": "cross-site"}):
        answer = ann.call("POST", "/auth/refresh", json={}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (403, "csrf_failed")

    assert ann.cookie(REFRESH) == before
    assert ann.call("POST", "/auth/refresh", json={}).status_code == 200


def test_a_copied_refresh_cookie_ends_the_session(ann: Browser) -> None:
    copied = ann.cookie(REFRESH)
    ann.call("POST", "/auth/refresh", json={})
    ann.client.set_cookie(REFRESH, copied, domain="localhost", secure=True)

    answer = ann.call("POST", "/auth/refresh", json={}, headers={"User-Agent": "another"})

    assert answer.status_code == 401
    assert {name: c["max-age"] for name, c in _set(answer).items()} == {ACCESS: "0", REFRESH: "0", CSRF: "0"}
    assert ann.call("GET", "/auth/me").status_code == 401


def test_of_a_crowd_with_one_refresh_cookie_one_is_served(world: World, ann: Browser) -> None:
    kept = {name: ann.cookie(name) for name in (REFRESH, CSRF)}

    def one(number: int) -> TestResponse:
        browser = Browser(world.app.test_client(), ann.csrf)
        for name, value in kept.items():
            browser.client.set_cookie(name, value, domain="localhost", secure=True)
        return browser.call("POST", "/auth/refresh", json={}, headers={"User-Agent": str(number)})

    assert statuses(crowd(one)) == {200: 1, 401: CROWD - 1}


def test_without_a_cookie_there_is_nothing_to_refresh(world: World) -> None:
    assert world.post("/auth/refresh", {}).status_code == 401


def test_logging_out_takes_the_cookies_away(ann: Browser) -> None:
    access = ann.cookie(ACCESS)

    answer = ann.call("POST", "/auth/logout")

    assert answer.status_code == 204
    assert [ann.cookie(name) for name in (ACCESS, REFRESH, CSRF)] == ["", "", ""]
    ann.client.set_cookie(ACCESS, access, domain="localhost", secure=True)
    assert ann.call("GET", "/auth/me").status_code == 401


def test_a_bearer_token_comes_before_cookies(world: World, ann: Browser, bob: Browser) -> None:
    other: Person = world.signed_in(BOB)
    headers = {"Authorization": f"Bearer {other.tokens['accessToken']}", "X-CSRF-Token": ""}

    assert ann.call("GET", "/auth/me", headers=headers).json["email"] == BOB
    assert ann.call("PUT", "/auth/profile", json={}, headers=headers).json["email"] == BOB
    assert ann.call("GET", "/auth/me", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_stale_cookie_never_stands_in_the_way_of_a_new_log_in(world: World, ann: Browser) -> None:
    world.execute(AuthSession.__table__.delete())
    with world.app.app_context():
        auth().standings.forget()
    body = {"email": ANN, "password": PASSWORD, "cookies": True}

    assert ann.call("GET", "/auth/me").status_code == 401
    assert ann.call("POST", "/auth/login", json=body, headers={"X-CSRF-Token": ""}).status_code == 200
    assert ann.call("GET", "/auth/me").status_code == 200


def test_signing_in_again_is_another_session(ann: Browser) -> None:
    before = ann.cookie(ACCESS), ann.csrf
    body = {"email": ANN, "password": PASSWORD, "cookies": True}

    answer = ann.call("POST", "/auth/login", json=body)

    assert answer.json["csrfToken"] != before[1]
    assert ann.cookie(ACCESS) != before[0]
