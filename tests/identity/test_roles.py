"""Roles of the instance: what comes with it, what admins make, and how soon a change is felt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from core.users import Role, UserRole
from core.web import Server
from tests.identity.teams import code_of, five_seconds, found, holder, user
from tests.identity.world import Person, World, crowd, statuses


@pytest.fixture
def root(world: World) -> Person:
    return holder(world, "root@example.org", "superadmin")


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


def _make(who: Person, name: str = "helper", *held: str, **more: Any) -> Any:
    return who.call("POST", "/roles", json={"name": name, "permissions": list(held), **more})


def _roles(who: Person) -> dict[str, dict[str, Any]]:
    answer = who.call("GET", "/roles")
    assert answer.status_code == 200, answer.text
    return {role["name"]: role for role in answer.json["items"]}


def test_what_comes_with_the_instance(root: Person) -> None:
    roles = _roles(root)

    assert list(roles) == ["superadmin", "admin", "developer", "author", "provider", "support", "user"]
    assert all(role["builtIn"] and role["id"] == role["name"] for role in roles.values())
    assert "core.user.read" in roles["admin"]["permissions"]
    assert "core.role.assign" not in roles["admin"]["permissions"]
    assert "core.role.assign" in roles["superadmin"]["permissions"]
    assert (roles["superadmin"]["holders"], roles["user"]["holders"], roles["admin"]["holders"]) == (1, 1, 0)


def test_permissions_name_their_plugin(root: Person) -> None:
    listed = root.call("GET", "/permissions").json

    known = {item["name"]: item for item in listed["items"]}
    assert listed["nextCursor"] is None
    assert known["core.user.read"] == {
        "name": "core.user.read",
        "plugin": "core",
        "summary": "See all people of the instance.",
        "roles": ["admin"],
    }
    assert known["core.member.write"]["roles"] == ["org:admin", "org:owner"]


def test_a_role_is_made_given_changed_and_deleted(world: World, root: Person, ann: Person) -> None:
    made = _make(root, "helper", "core.user.read", summary="Looks things up.")
    assert made.status_code == 201
    assert made.json == {
        "id": made.json["id"],
        "name": "helper",
        "summary": "Looks things up.",
        "permissions": ["core.user.read"],
        "builtIn": False,
    }
    assert ann.call("GET", "/users").status_code == 403

    given = root.call("PUT", f"{user(world, ann)}/role", json={"role": "helper"})
    assert given.json["roles"] == ["helper", "user"]
    assert ann.call("GET", "/users").status_code == 200
    assert "core.user.read" in ann.me()["permissions"]
    assert _roles(root)["helper"]["holders"] == 1

    changed = root.call("PUT", f"/roles/{made.json['id']}", json={"permissions": ["core.role.read"]})
    assert (changed.json["summary"], changed.json["permissions"]) == ("Looks things up.", ["core.role.read"])
    assert ann.call("GET", "/users").status_code == 403
    assert ann.call("GET", "/roles").status_code == 200

    assert root.call("DELETE", "/roles/helper").status_code == 204
    assert ann.call("GET", "/roles").status_code == 403
    assert ann.me()["roles"] == ["user"]
    assert world.execute(select(UserRole.role).where(UserRole.role == "helper")).all() == []
    assert root.call("DELETE", "/roles/helper").status_code == 404


def test_a_change_is_felt_in_every_process_within_five_seconds(
    world: World,
    root: Person,
    ann: Person,
    make: Callable[..., Server],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _make(root, "helper", "core.user.read")
    root.call("PUT", f"{user(world, ann)}/role", json={"role": "helper"})
    there = Person(World(make()), ann.email, ann.tokens)
    later = five_seconds(monkeypatch)
    assert there.call("GET", "/users").status_code == 200

    root.call("PUT", "/roles/helper", json={"permissions": []})
    later()
    assert there.call("GET", "/users").status_code == 403
    root.call("PUT", "/roles/helper", json={"permissions": ["core.user.read"]})
    later()
    assert there.call("GET", "/users").status_code == 200
    root.call("DELETE", "/roles/helper")
    later()
    assert there.call("GET", "/users").status_code == 403
    root.call("POST", f"{user(world, ann)}/suspend")
    later()
    assert there.call("GET", "/auth/me").status_code == 401


def test_being_demoted_is_felt_in_every_process_within_five_seconds(
    world: World, root: Person, make: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = holder(world, "admin@example.org", "admin")
    there = Person(World(make()), admin.email, admin.tokens)
    later = five_seconds(monkeypatch)
    assert there.call("GET", "/users").status_code == 200

    root.call("PUT", f"{user(world, admin)}/role", json={"role": "user"})
    later()

    assert there.call("GET", "/users").status_code == 401
    assert admin.call("GET", "/users").status_code == 401
    again = Person(there.world, admin.email, world.signed_in(admin.email).tokens)
    assert again.call("GET", "/users").status_code == 403


def test_nobody_makes_a_role_that_may_more_than_they(world: World, root: Person) -> None:
    _make(root, "keeper", "core.role.read", "core.role.write", "core.role.assign")
    _make(root, "strong", "core.user.delete")
    keeper = holder(world, "keeper@example.org", "keeper")

    assert code_of(_make(keeper, "mine", "core.user.delete")) == (403, "above_you")
    assert code_of(keeper.call("PUT", "/roles/keeper", json={"permissions": ["core.user.delete"]})) == (
        403,
        "above_you",
    )
    assert code_of(keeper.call("PUT", "/roles/strong", json={"permissions": []})) == (403, "above_you")
    assert code_of(keeper.call("DELETE", "/roles/strong")) == (403, "above_you")
    for role in ("strong", "admin", "superadmin"):
        answer = keeper.call("PUT", f"{user(world, keeper)}/role", json={"roles": ["keeper", role]})
        assert code_of(answer) == (403, "above_you")
    assert _make(keeper, "reader", "core.role.read").status_code == 201


def test_a_role_of_the_instance_opens_no_organisation(world: World, root: Person, ann: Person) -> None:
    assert _make(root, "sly", "core.member.write").status_code == 422
    found(root, "secret")
    helper = holder(world, "helper@example.org", "admin")

    assert helper.call("GET", "/orgs/secret").status_code == 404
    assert root.call("GET", f"/orgs/{ann.me()['organisationId']}").status_code == 404


@pytest.mark.parametrize("name", ["superadmin", "admin", "user", "support"])
def test_built_in_roles_stay(root: Person, name: str) -> None:
    assert code_of(root.call("PUT", f"/roles/{name}", json={"permissions": []})) == (409, "built_in")
    assert code_of(root.call("DELETE", f"/roles/{name}")) == (409, "built_in")
    assert _make(root, name).status_code == 409


def test_of_a_crowd_that_makes_one_role_one_succeeds(world: World, root: Person) -> None:
    answers = crowd(lambda _: _make(root, "helper", "core.user.read"), size=8)

    assert statuses(answers) == {201: 1, 409: 7}
    assert len(world.execute(select(Role.id)).all()) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "helper"},
        {"name": "helper", "permissions": ["core.nothing.read"]},
        {"name": "helper", "permissions": ["core.undeclared"]},
        {"name": "helper", "permissions": "core.user.read"},
        {"name": "org:owner", "permissions": []},
        {"name": "Helper", "permissions": []},
        {"name": "helper", "permissions": [], "builtIn": True},
    ],
)
def test_bad_input(root: Person, body: dict[str, Any]) -> None:
    assert root.call("POST", "/roles", json=body).status_code == 422
    assert len(_roles(root)) == 7
