"""Questions that everybody may ask of an address, and addresses of every kind."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import insert, update
from werkzeug.test import TestResponse

from core.clock import utcnow
from core.users import User, UserRole
from tests.identity.world import PASSWORD, World

VOLATILE = {"x-request-id", "date", "content-length", "retry-after", "ratelimit"}

_numbers = itertools.count()


def somebody(world: World, kind: str) -> str:
    """An address of which ``kind`` is true."""
    email = f"{kind}-{next(_numbers)}@example.org"
    if kind == "unknown":
        return email
    world.register(email)
    if kind == "unverified":
        return email
    world.verify(email, world.code(email))
    user = world.user_id(email)
    if kind == "suspended":
        world.execute(update(User).where(User.id == user).values(status="suspended"))
    elif kind == "deleted":
        world.execute(update(User).where(User.id == user).values(status="suspended", deleted_at=utcnow()))
    elif kind == "admin":
        world.execute(insert(UserRole.__table__).values(user_id=user, role="admin"))
    return email


ASKED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "login": ("POST", "/auth/login", {"password": "not the password"}),
    "login with cookies": ("POST", "/auth/login", {"password": "not the password", "cookies": True}),
    "forgot": ("POST", "/auth/forgot-password", {}),
    "resend": ("POST", "/auth/resend-otp", {}),
    "verify": ("POST", "/auth/verify-otp", {"code": "000000"}),
    "verify a reset": ("POST", "/auth/verify-otp", {"code": "000000", "purpose": "reset"}),
    "reset": ("PUT", "/auth/reset-password", {"code": "000000", "newPassword": "a new long secret"}),
    "register": ("POST", "/auth/register", {"password": PASSWORD, "name": "N"}),
    "register poorly": ("POST", "/auth/register", {"password": "123456"}),
}


def asked(world: World, what: str, email: str) -> TestResponse:
    method, path, body = ASKED[what]
    return world.app.test_client().open(
        f"/api/v1{path}",
        method=method,
        json={"email": email, **body},
        headers={"Sec-Fetch-Site": "same-origin"},
    )


def told(answer: TestResponse, email: str) -> tuple[Any, ...]:
    """All of an answer that might differ."""
    body = {key: value for key, value in (answer.json or {}).items() if key != "requestId"}
    headers = {k.lower(): v for k, v in answer.headers.items() if k.lower() not in VOLATILE}
    return answer.status_code, str(body).replace(email, "EMAIL"), sorted(headers.items())
