"""Cookies in a real browser: a page of ours acts for who is signed in, a page of another site does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from tests.identity.world import PASSWORD, World
from tests.support.browser import needs_chromium, open_page, served

ANN = "ann@example.org"
CALL = """async ([method, path, body, headers]) => {
  const answer = await fetch(path, {method, body: body && JSON.stringify(body),
    headers: {...(body ? {'Content-Type': 'application/json'} : {}), ...headers}});
  return [answer.status, await answer.json().catch(() => null)];
}"""

pytestmark = needs_chromium


@pytest.fixture
def serve() -> Iterator[Callable[[Any, str], str]]:
    with ExitStack() as running:
        yield lambda app, host: running.enter_context(served(app, host))


@pytest.fixture
def page() -> Iterator[Page]:
    with open_page("127.0.0.1", "127.0.0.2") as page:
        yield page


def test_a_page_of_ours_acts_and_another_site_does_not(
    world: World, serve: Callable[[Any, str], str], page: Page
) -> None:
    world.person(ANN)
    ours = serve(world.app, "127.0.0.1")
    evil = Flask("evil")
    evil.add_url_rule(
        "/",
        view_func=lambda: (
            f"<form method=post enctype=text/plain action={ours}/api/v1/auth/logout><input name=a></form>"
        ),
    )
    theirs = serve(evil, "127.0.0.2")

    def call(method: str, path: str, body: Any = None, **headers: str) -> Any:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return page.evaluate(CALL, [method, f"/api/v1{path}", body, given])

    page.goto(f"{ours}/")
    login = {"email": ANN, "password": PASSWORD, "cookies": True}
    status, told = call("POST", "/auth/login", login)
    assert (status, told["tokenType"]) == (200, "Cookie")
    kept = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert {name: c["httpOnly"] for name, c in kept.items()} == {
        "__Host-jobstead_access": True,
        "__Host-jobstead_refresh": True,
        "__Host-jobstead_csrf": False,
    }
    assert page.evaluate("document.cookie") == f"__Host-jobstead_csrf={told['csrfToken']}"

    assert call("GET", "/auth/me")[1]["email"] == ANN
    assert call("PUT", "/auth/profile", {"name": "Mallory"})[0] == 403
    assert call("PUT", "/auth/profile", {"name": "Ann"}, X_CSRF_Token=told["csrfToken"])[0] == 200
    assert call("POST", "/auth/refresh", {}, X_CSRF_Token=told["csrfToken"])[0] == 200

    page.goto(f"{theirs}/")
    with page.expect_navigation():
        page.evaluate("document.forms[0].submit()")
    assert "Sign in first" in page.content()  # the browser sent no cookie along at all
    page.goto(f"{theirs}/")
    with pytest.raises(Exception, match="Failed to fetch"):
        page.evaluate(CALL, ["POST", f"{ours}/api/v1/auth/login", login, {}])

    page.goto(f"{ours}/")
    assert call("GET", "/auth/me")[1]["name"] == "Ann"
    assert call("POST", "/auth/logout", None, X_CSRF_Token=told["csrfToken"])[0] == 204
    assert page.context.cookies() == []
