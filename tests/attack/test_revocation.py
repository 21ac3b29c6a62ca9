"""Tokens replayed after what gave them is gone, in the process that took it away and in another one.

The other process may believe for five seconds in what it knew: the clock is moved on by so much.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from sqlalchemy import delete, update

from core.auth.models import AuthSession
from core.clock import utcnow
from core.orgs import Organisation
from core.users import User
from tests.attack.people import superadmin
from tests.identity.world import PASSWORD, Person, World

NEW = "a newly made secret"

_numbers = itertools.count()


@pytest.fixture
def ann(world: World) -> Person:
    return world.person(f"ann-{next(_numbers)}@example.org")


def boss_of(world: World) -> Person:
    return superadmin(world, f"boss-{next(_numbers)}@example.org")


def log_out(world: World, ann: Person) -> None:
    assert ann.call("POST", "/auth/logout").status_code == 204


def reset_password(world: World, ann: Person) -> None:
    world.post("/auth/forgot-password", {"email": ann.email})
    body = {"email": ann.email, "code": world.code(ann.email), "newPassword": NEW}
    assert world.app.test_client().put("/api/v1/auth/reset-password", json=body).status_code == 200


def change_password_elsewhere(world: World, ann: Person) -> None:
    other = world.signed_in(ann.email)
    body = {"currentPassword": PASSWORD, "newPassword": NEW}
    assert other.call("PUT", "/auth/change-password", json=body).status_code == 200


def change_email_elsewhere(world: World, ann: Person) -> None:
    other, new = world.signed_in(ann.email), f"new-{ann.email}"
    other.call("POST", "/auth/change-email", json={"newEmail": new, "currentPassword": PASSWORD})
    body = {"newEmail": new, "code": world.code(new)}
    assert other.call("POST", "/auth/change-email/confirm", json=body).status_code == 200


def end_one_elsewhere(world: World, ann: Person) -> None:
    other = world.signed_in(ann.email)
    listed = other.call("GET", "/auth/sessions").json["items"]  # type: ignore[index]
    for session in listed:
        if not session["current"]:
            assert other.call("DELETE", f"/auth/sessions/{session['id']}").status_code == 204


def end_all_elsewhere(world: World, ann: Person) -> None:
    assert world.signed_in(ann.email).call("DELETE", "/auth/sessions").status_code == 204


def suspend(world: World, ann: Person) -> None:
    path = f"/users/{world.user_id(ann.email)}/suspend"
    assert boss_of(world).call("POST", path, json={"reason": "x"}).status_code == 200


def suspend_and_reinstate(world: World, ann: Person) -> None:
    suspend(world, ann)
    path = f"/users/{world.user_id(ann.email)}/suspend"
    assert boss_of(world).call("POST", path, json={"suspended": False}).status_code == 200


def delete_the_person(world: World, ann: Person) -> None:
    assert boss_of(world).call("DELETE", f"/users/{world.user_id(ann.email)}").status_code == 204


def erase_the_person(world: World, ann: Person) -> None:
    user = world.user_id(ann.email)
    world.execute(delete(Organisation.__table__).where(Organisation.created_by == user))
    world.execute(delete(User.__table__).where(User.id == user))


def move_by_an_admin(world: World, ann: Person) -> None:
    path = f"/users/{world.user_id(ann.email)}"
    assert boss_of(world).call("PUT", path, json={"email": f"moved-{ann.email}"}).status_code == 200


def take_a_role(world: World, ann: Person) -> None:
    path = f"/users/{world.user_id(ann.email)}/role"
    boss = boss_of(world)
    assert boss.call("PUT", path, json={"role": "support"}).status_code == 200
    assert boss.call("PUT", path, json={"role": "user"}).status_code == 200


def copy_the_refresh_token(world: World, ann: Person) -> None:
    body = {"refreshToken": ann.tokens["refreshToken"]}
    assert world.post("/auth/refresh", body).status_code == 200
    thief = {"User-Agent": "a thief's"}
    assert world.post("/auth/refresh", body, headers=thief).status_code == 401


def outlive(world: World, ann: Person) -> None:
    mine = update(AuthSession).where(AuthSession.user_id == world.user_id(ann.email))
    world.execute(mine.values(expires_at=utcnow()))


@pytest.mark.parametrize(
    "end",
    [
        log_out,
        reset_password,
        change_password_elsewhere,
        change_email_elsewhere,
        end_one_elsewhere,
        end_all_elsewhere,
        suspend,
        suspend_and_reinstate,
        delete_the_person,
        erase_the_person,
        move_by_an_admin,
        take_a_role,
        copy_the_refresh_token,
        outlive,
    ],
)
def test_a_token_replayed(
    world: World, twin: World, ann: Person, later: Callable[[], None], end: Callable[[World, Person], None]
) -> None:
    there = Person(twin, ann.email, ann.tokens)
    assert (ann.call("GET", "/auth/me").status_code, there.call("GET", "/auth/me").status_code) == (200, 200)

    end(world, ann)

    if end not in (erase_the_person, outlive):  # past the server, in the database
        assert ann.call("GET", "/auth/me").status_code == 401
    later()
    for person in (ann, there):
        assert person.call("GET", "/auth/me").status_code == 401
        assert person.call("PUT", "/auth/profile", json={"name": "Still here"}).status_code == 401
        answer = person.world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]})
        assert answer.status_code == 401
