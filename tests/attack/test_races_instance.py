"""The instance, twenty-four clients at once: one first admin, never none, one key, nobody mixed up."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select
from werkzeug.test import TestResponse

from core.auth import keys, setup
from core.auth.models import SigningKey
from core.testing import Databases, Instance
from core.users import User, UserRole
from tests.attack.crowd import SIZE, crowd, statuses, won
from tests.attack.scene import another_process, instance_of
from tests.identity.world import PASSWORD, Person, World


def test_the_first_admin_is_one(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> None:
    with instance_of(tmp_path_factory.mktemp("setup"), databases, "notifications") as house:
        link = setup.issue_link(house.app)
        assert link is not None
        token, world = link.partition("token=")[2], World(house.app)

        def complete(n: int) -> TestResponse:
            body = {"token": token, "email": f"admin-{n}@example.org", "password": PASSWORD, "name": "A"}
            return world.post("/auth/setup", body)

        def form(n: int) -> TestResponse:
            body = {"token": token, "email": f"admin-{n}@example.org", "password": PASSWORD, "name": "A"}
            return house.app.test_client().post("/setup", data=body)

        assert len(won(crowd(complete, form))) == 1
        assert len(world.execute(select(UserRole.user_id).where(UserRole.role == "superadmin")).all()) == 1
        assert (
            world.post(
                "/auth/setup", {"token": token, "email": "x@example.org", "password": PASSWORD}
            ).status_code
            == 403
        )
        assert setup.issue_link(house.app) is None


def test_superadmins_who_put_each_other_down(world: World, twin: World, email: str) -> None:

    world.execute(delete(UserRole.__table__).where(UserRole.role == "superadmin"))
    bosses = [world.person(f"{n}-{email}") for n in range(2)]
    ids = [world.user_id(boss.email) for boss in bosses]
    for user in ids:
        world.execute(insert(UserRole.__table__).values(user_id=user, role="superadmin"))

    def act(on: World, who: int, way: int) -> TestResponse:
        person = Person(on, bosses[who].email, bosses[who].tokens)
        other = f"/users/{ids[1 - who]}"
        if way == 0:
            return person.call("PUT", f"{other}/role", json={"role": "user"})
        if way == 1:
            return person.call("POST", f"{other}/suspend", json={})
        return person.call("DELETE", other)

    statuses(
        crowd(
            *[
                lambda _, w=w, who=who, way=way: act(w, who, way)
                for w, who in ((world, 0), (twin, 1))
                for way in range(3)
            ]
        )
    )

    left = world.execute(
        select(User.id)
        .join(UserRole, UserRole.user_id == User.id)
        .where(UserRole.role == "superadmin", User.status == "active")
    ).all()
    assert len(left) == 1


def test_signing_keys_made_at_once_are_one(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(keys, "BITS", 2048)
    with instance_of(tmp_path_factory.mktemp("keys"), databases, "notifications") as house:
        world = World(house.app)
        world.execute(delete(SigningKey.__table__))
        apps = [another_process(house.app) for _ in range(2)]
        answers = crowd(*[lambda _, app=app: app.test_client().get("/.well-known/jwks.json") for app in apps])
        assert statuses(answers) == {200: SIZE}
        assert len({answer.text for answer in answers}) == 1
        for app in apps:
            app.extensions["jobstead.db"].dispose()


def test_callers_are_not_mixed_up(house: Instance) -> None:
    """Thirty-two threads, each somebody else: everybody sees themselves alone."""
    people = [house.person(f"thread-{n}@example.org") for n in range(32)]

    def act(n: int) -> TestResponse:
        for _ in range(6):
            answer = people[n].get("/auth/me")
            assert (answer.json or {})["email"] == people[n].email
            anonymous = house.app.test_client().get("/api/v1/auth/me")
            assert anonymous.status_code == 401
        return answer

    assert statuses(crowd(act, size=32)) == {200: 32}
