"""Deleting somebody: out at once, back while the grace lasts, and then nothing left of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from core import engine
from core.auth.models import AuthSession, Password
from core.clock import utcnow
from core.db import begin, db
from core.engine import enqueue
from core.orgs import Member, Organisation
from core.users import User
from tests.identity.teams import code_of, found, holder, join, roles, user
from tests.identity.world import Person, World, crowd


@pytest.fixture
def root(world: World) -> Person:
    return holder(world, "root@example.org", "superadmin")


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


def _purge(world: World) -> None:
    with world.app.app_context():
        with begin():
            enqueue("core.purge_users")
        engine.drain()


def test_out_at_once_and_gone_after_the_grace(world: World, root: Person, ann: Person) -> None:
    mine = found(ann, "acme")
    bob = world.person("bob@example.org")
    theirs = found(bob, "bobs")
    join(world, theirs, ann, "admin")
    path, identifier = user(world, ann), world.user_id(ann.email)

    assert root.call("DELETE", path).status_code == 204

    assert ann.call("GET", "/auth/me").status_code == 401
    assert code_of(world.login(ann.email)) == (403, "account_suspended")
    assert root.call("GET", path).status_code == 404
    assert root.call("DELETE", path).status_code == 404
    assert [u["status"] for u in root.call("GET", "/users?status=deleted").json["items"]] == ["deleted"]
    assert ann.email not in str(root.call("GET", "/users").json)
    assert root.call("GET", "/users/stats").json["deleted"] == 1
    _purge(world)
    assert world.execute(select(User.id).where(User.id == identifier)).all()

    with time_machine.travel(utcnow() + timedelta(days=14, seconds=10)):
        _purge(world)

    for table in (Password, AuthSession, Member):
        assert world.execute(select(table.user_id).where(table.user_id == identifier)).all() == []
    assert world.execute(select(User.id).where(User.email == ann.email)).all() == []
    left = world.execute(select(Organisation.slug).where(Organisation.kind == "team")).scalars().all()
    assert left == ["bobs"]
    assert roles(bob, "bobs") == {"bob@example.org": "owner"}
    assert world.events("user.erased") == [{"user_id": str(identifier)}]
    assert mine["id"] in {e["organisation_id"] for e in world.events("organisation.deleted")}
    assert world.person(ann.email).me()["id"] != str(identifier)  # the address is free again


def test_back_while_the_grace_lasts(world: World, root: Person, ann: Person) -> None:
    path = user(world, ann)
    root.call("DELETE", path)
    admin = holder(world, "admin@example.org", "admin")
    back = {"suspended": False}
    assert admin.call("POST", f"{path}/suspend", json=back).status_code == 404  # who cannot delete

    assert root.call("POST", f"{path}/suspend", json=back).json["status"] == "active"

    with time_machine.travel(utcnow() + timedelta(days=15)):
        _purge(world)
    assert world.login(ann.email).status_code == 200


def test_whom_others_cannot_miss_stays(world: World, root: Person, ann: Person) -> None:
    acme = found(ann, "acme")
    bob = world.person("bob@example.org")
    join(world, acme, bob, "admin")

    answer = root.call("DELETE", user(world, ann))

    assert code_of(answer) == (409, "last_owner")
    assert answer.json["errors"] == {"organisations": [acme["id"]]}
    assert ann.call("GET", "/auth/me").status_code == 200
    path = f"/orgs/acme/members/{bob.me()['id']}"
    assert ann.call("PUT", path, json={"role": "owner"}).status_code == 200
    assert root.call("DELETE", user(world, ann)).status_code == 204
    assert code_of(bob.call("DELETE", path)) == (409, "last_owner")


def test_one_is_deleted_while_the_other_owner_leaves(world: World, root: Person, ann: Person) -> None:
    acme = found(ann, "acme")
    bob, cid = world.person("bob@example.org"), world.person("cid@example.org")
    join(world, acme, bob, "owner")
    join(world, acme, cid, "member")
    path, leave = user(world, ann), f"/orgs/acme/members/{bob.me()['id']}"

    crowd(lambda n: root.call("DELETE", path) if n else bob.call("DELETE", leave), size=2)

    owners = (
        select(User.id)
        .join(Member, Member.user_id == User.id)
        .join(Organisation, Organisation.id == Member.organisation_id)
        .where(Organisation.slug == "acme", Member.role == "owner", User.status == "active")
    )
    assert len(world.execute(owners).all()) == 1


def test_the_home_of_the_instance_outlives_whoever_owns_it(world: World, root: Person, ann: Person) -> None:
    home = Organisation(name="Home", slug="home", kind="home")
    with world.app.app_context(), begin():
        db.insert(home)
    join(world, {"id": str(home.id)}, ann, "owner")
    root.call("DELETE", user(world, ann))
    world.execute(
        update(User).where(User.email == ann.email).values(deleted_at=utcnow() - timedelta(days=30))
    )

    _purge(world)

    assert world.execute(select(Organisation.slug).where(Organisation.kind == "home")).scalar_one() == "home"
