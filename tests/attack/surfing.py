"""A browser that somebody is signed in with."""

from __future__ import annotations

import itertools
from typing import Any

from werkzeug.test import TestResponse

from tests.identity.test_cookies import Browser
from tests.identity.world import PASSWORD, World

_numbers = itertools.count()


def newcomer(world: World) -> str:
    """The address of somebody new, with a password."""
    email = f"surfer-{next(_numbers)}@example.org"
    world.person(email)
    return email


def browser(world: World, email: str | None = None) -> Browser:
    """One in which somebody has just signed in."""
    made = Browser(world.app.test_client())
    body = {"email": email or newcomer(world), "password": PASSWORD, "cookies": True}
    made.answer = made.call("POST", "/auth/login", json=body)
    assert made.answer.status_code == 200, made.answer.text
    made.csrf = (made.answer.json or {})["csrfToken"]
    return made


def raw(on: Browser, method: str, url: str, headers: dict[str, str], **options: Any) -> TestResponse:
    """With exactly these headers, and the browser's cookies."""
    return on.client.open(url, method=method, base_url="https://localhost", headers=headers, **options)
