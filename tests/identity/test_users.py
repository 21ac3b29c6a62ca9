"""People as admins see and change them, and what stays out of their reach."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from core.clock import utcnow
from core.db import uuid7
from core.users import User
from tests.identity.teams import code_of, found, holder, user
from tests.identity.world import PASSWORD, Person, World, crowd, statuses


@pytest.fixture
def root(world: World) -> Person:
    return holder(world, "root@example.org", "superadmin")


@pytest.fixture
def admin(world: World) -> Person:
    return holder(world, "admin@example.org", "admin")


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


def _emails(who: Person, query: str = "") -> list[str]:
    answer = who.call("GET", f"/users?{query}")
    assert answer.status_code == 200, answer.text
    return [item["email"] for item in answer.json["items"]]


ROUTES = (
    ("GET", "/users", None),
    ("POST", "/users", {"email": "new@example.org"}),
    ("GET", "/users/stats", None),
    ("GET", "/users/dashboard", None),
    ("PUT", "/users/{id}/role", {"role": "admin"}),
    ("POST", "/users/{id}/suspend", {}),
    ("DELETE", "/users/{id}", None),
    ("GET", "/roles", None),
    ("POST", "/roles", {"name": "helper", "permissions": []}),
    ("PUT", "/roles/helper", {"permissions": []}),
    ("DELETE", "/roles/helper", None),
    ("GET", "/permissions", None),
)


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_owning_an_organisation_opens_none_of_these(
    world: World, root: Person, ann: Person, method: str, path: str, body: Any
) -> None:
    found(ann, "acme")
    path = path.format(id=world.user_id(root.email))

    for headers in ({}, {"X-Org": "acme"}):
        assert ann.call(method, path, json=body, headers=headers).status_code == 403
    assert world.app.test_client().open(f"/api/v1{path}", method=method, json=body).status_code == 401


def test_the_list_is_filtered_sorted_and_paged(world: World, root: Person, ann: Person) -> None:
    world.register("bob@example.org", name="Bob 100%")
    world.execute(update(User).where(User.email == ann.email).values(status="suspended"))

    assert _emails(root) == ["bob@example.org", "ann@example.org", "root@example.org"]
    assert _emails(root, "sort=email") == ["ann@example.org", "bob@example.org", "root@example.org"]
    assert _emails(root, "status=suspended") == ["ann@example.org"]
    assert _emails(root, "status=deleted") == []
    assert _emails(root, "verified=false") == ["bob@example.org"]
    assert _emails(root, "role=superadmin") == ["root@example.org"]
    assert len(_emails(root, "role=user")) == 3
    assert _emails(root, "q=B@EXAMPLE") == ["bob@example.org"]
    assert _emails(root, "q=100%25") == ["bob@example.org"]
    assert _emails(root, "email=ann") == ["ann@example.org"]
    assert _emails(root, f"createdFrom={(utcnow() + timedelta(days=1)):%Y-%m-%dT%H:%M:%SZ}") == []
    first = root.call("GET", "/users?sort=email&limit=2").json
    second = root.call("GET", f"/users?sort=email&limit=2&cursor={first['nextCursor']}").json
    assert [len(first["items"]), len(second["items"]), second["nextCursor"]] == [2, 1, None]
    for query in ("status=x", "verified=perhaps", "sort=password", "limit=0", "nothing=1"):
        assert root.call("GET", f"/users?{query}").status_code == 422


def test_one_person_is_shown_to_themselves_and_admins(
    world: World, root: Person, admin: Person, ann: Person
) -> None:
    mine = ann.call("GET", user(world, ann))

    assert mine.status_code == 200
    assert mine.json == admin.call("GET", user(world, ann)).json
    assert {k: mine.json[k] for k in ("email", "status", "verified", "role", "roles")} == {
        "email": "ann@example.org",
        "status": "active",
        "verified": True,
        "role": "user",
        "roles": ["user"],
    }
    assert ann.call("GET", user(world, root)).status_code == 404
    assert ann.call("GET", f"/users/{uuid7()}").status_code == 404
    assert ann.call("PUT", user(world, root), json={"name": "x"}).status_code == 404


def test_an_admin_makes_an_account(world: World, admin: Person) -> None:
    answer = admin.call("POST", "/users", json={"email": "New@Example.org", "name": "New"})

    assert answer.status_code == 201
    assert (answer.json["email"], answer.json["verified"]) == ("new@example.org", False)
    assert world.events("user.invited") == [
        {
            "user_id": answer.json["id"],
            "email": "new@example.org",
            "name": "New",
            "has_password": False,
            "roles": [],
        }
    ]
    again = admin.call("POST", "/users", json={"email": "new@example.org"})
    assert again.status_code == 409


def test_a_password_from_an_admin_is_good_for_one_log_in(world: World, admin: Person) -> None:
    body = {"email": "new@example.org", "password": PASSWORD, "verified": True}
    assert admin.call("POST", "/users", json=body).status_code == 201

    person = world.signed_in("new@example.org")

    assert person.tokens["mustChangePassword"] is True
    assert person.call("GET", "/orgs").status_code == 403
    change = {"currentPassword": PASSWORD, "newPassword": "another horse battery"}
    assert person.call("PUT", "/auth/change-password", json=change).status_code == 200
    assert [o["kind"] for o in person.me()["organisations"]] == ["personal"]


def test_of_a_crowd_that_makes_one_account_one_succeeds(world: World, admin: Person) -> None:
    answers = crowd(lambda _: admin.call("POST", "/users", json={"email": "new@example.org"}), size=8)

    assert statuses(answers) == {201: 1, 409: 7}


def test_of_oneself_one_changes_a_part(world: World, ann: Person, admin: Person) -> None:
    path = user(world, ann)
    answer = ann.call("PUT", path, json={"name": "Ann B.", "locale": "de", "timezone": "Europe/Vienna"})

    assert (answer.status_code, answer.json["timezone"]) == (200, "Europe/Vienna")
    for body in ({"email": "x@example.org"}, {"verified": False}):
        assert ann.call("PUT", path, json=body).status_code == 403
    assert admin.call("PUT", path, json={"name": "A"}).json["name"] == "A"
    assert [e["fields"] for e in world.events("user.updated")] == [["locale", "name", "timezone"], ["name"]]


def test_another_address_ends_the_sessions_and_is_to_be_verified(
    world: World, ann: Person, admin: Person
) -> None:
    path = user(world, ann)
    assert admin.call("PUT", path, json={"email": "admin@example.org"}).status_code == 409

    answer = admin.call("PUT", path, json={"email": "anna@example.org"})

    assert (answer.json["email"], answer.json["verified"]) == ("anna@example.org", False)
    assert ann.call("GET", "/auth/me").status_code == 401
    assert code_of(world.login("anna@example.org")) == (403, "email_not_verified")
    assert admin.call("PUT", path, json={"verified": True}).json["verified"] is True
    assert world.login("anna@example.org").status_code == 200


def test_a_code_for_the_old_address_does_not_verify_the_new_one(world: World, admin: Person) -> None:
    world.register("bob@example.org")
    code = world.code("bob@example.org")
    path = f"/users/{world.user_id('bob@example.org')}"

    admin.call("PUT", path, json={"email": "new@example.org"})

    assert world.verify("bob@example.org", code).status_code == 400
    assert admin.call("GET", path).json["verified"] is False


def test_suspending_ends_everything_until_one_is_reinstated(world: World, ann: Person, admin: Person) -> None:
    path = f"{user(world, ann)}/suspend"

    answer = admin.call("POST", path, json={"reason": "spam"})

    assert (answer.status_code, answer.json["status"]) == (200, "suspended")
    assert ann.call("GET", "/auth/me").status_code == 401
    assert world.post("/auth/refresh", {"refreshToken": ann.tokens["refreshToken"]}).status_code == 401
    assert code_of(world.login(ann.email)) == (403, "account_suspended")
    assert admin.call("POST", path).status_code == 200  # no body says the same; twice is once
    assert len(world.events("user.suspended")) == 1
    assert admin.call("POST", path, json={"suspended": False}).json["status"] == "active"
    assert world.login(ann.email).status_code == 200
    assert ann.call("GET", "/auth/me").status_code == 401  # what has ended stays so


def test_nobody_reaches_above_themselves(world: World, root: Person, admin: Person, ann: Person) -> None:
    for method, path, body in (
        ("PUT", user(world, root), {"email": "mine@example.org"}),
        ("PUT", user(world, root), {"name": "x"}),
        ("POST", f"{user(world, root)}/suspend", {}),
        ("POST", "/users", {"email": "x@example.org", "role": "superadmin"}),
        ("POST", "/users", {"email": "x@example.org", "role": "admin"}),
        ("PUT", f"{user(world, admin)}/role", {"role": "superadmin"}),
        ("DELETE", user(world, ann), None),
    ):
        assert admin.call(method, path, json=body).status_code == 403, (method, path, body)
    assert _emails(root, "role=superadmin") == ["root@example.org"]
    assert len(_emails(root)) == 3


def test_nobody_takes_themselves_out(world: World, root: Person) -> None:
    holder(world, "second@example.org", "superadmin")

    assert code_of(root.call("POST", f"{user(world, root)}/suspend")) == (409, "yourself")
    assert code_of(root.call("DELETE", user(world, root))) == (409, "yourself")


def test_roles_are_set(world: World, root: Person, ann: Person) -> None:
    path = f"{user(world, ann)}/role"

    assert root.call("PUT", path, json={"role": "admin"}).json["roles"] == ["admin", "user"]
    assert ann.call("GET", "/users").status_code == 200  # at once, and the session lives on
    many = root.call("PUT", path, json={"roles": ["support", "author", "user"]}).json
    assert (many["role"], many["roles"]) == ("author", ["author", "support", "user"])
    assert ann.call("GET", "/auth/me").status_code == 401  # a role was lost
    again = world.signed_in(ann.email)
    assert again.call("GET", "/users").status_code == 403
    assert root.call("PUT", path, json={"role": "user"}).json["roles"] == ["user"]
    assert [e["roles"] for e in world.events("user.roles_changed")] == [
        ["admin"],
        ["author", "support"],
        [],
    ]
    for body in ({"role": "king"}, {"role": "x", "roles": []}, {}, {"role": None}, {"roles": ["org:owner"]}):
        assert root.call("PUT", path, json=body).status_code == 422


def test_the_last_superadmin_stays(world: World, root: Person) -> None:
    second = holder(world, "second@example.org", "superadmin")
    path = f"{user(world, root)}/role"
    world.execute(update(User).where(User.email == second.email).values(status="suspended"))
    assert code_of(root.call("PUT", path, json={"role": "admin"})) == (409, "last_superadmin")
    world.execute(update(User).values(status="active"))

    assert root.call("PUT", path, json={"role": "admin"}).status_code == 200

    second = world.signed_in(second.email)
    for method, where, body in (
        ("PUT", "/role", {"role": "user"}),
        ("POST", "/suspend", {}),
        ("DELETE", "", None),
    ):
        answer = second.call(method, f"{user(world, second)}{where}", json=body)
        assert code_of(answer) in {(409, "last_superadmin"), (409, "yourself")}


@pytest.mark.parametrize("way", ["role", "suspend", "delete"])
def test_of_superadmins_who_put_each_other_out_one_stays(world: World, root: Person, way: str) -> None:
    several = [root, *(holder(world, f"root{n}@example.org", "superadmin") for n in range(3))]
    paths = [user(world, person) for person in several]

    def act(number: int) -> Any:
        me, path = several[number], paths[(number + 1) % 4]
        if way == "role":
            return me.call("PUT", f"{path}/role", json={"role": "user"})
        return me.call("POST", f"{path}/suspend") if way == "suspend" else me.call("DELETE", path)

    crowd(act, size=4)

    left = select(User.id).join(User.granted).where(User.status == "active")
    assert len(world.execute(left).all()) >= 1


def test_figures(world: World, root: Person, ann: Person) -> None:
    found(ann, "acme")
    world.register("bob@example.org")
    world.execute(
        update(User).where(User.email == ann.email).values(created_at=utcnow() - timedelta(days=10, hours=1))
    )

    stats = root.call("GET", "/users/stats").json
    board = root.call("GET", "/users/dashboard").json

    assert {k: stats[k] for k in ("total", "active", "suspended", "deleted", "verified", "unverified")} == {
        "total": 3,
        "active": 3,
        "suspended": 0,
        "deleted": 0,
        "verified": 2,
        "unverified": 1,
    }
    assert stats["byRole"]["superadmin"] == 1
    assert stats["byRole"]["user"] == 3
    growth = stats["growth"]
    assert [growth[f"last{span}"] for span in ("24Hours", "7Days", "30Days")] == [2, 2, 3]
    assert len(growth["daily"]) == 30
    assert sum(day["count"] for day in growth["daily"]) == 3
    assert board["users"] == stats
    assert board["organisations"] == {"total": 4, "byKind": {"personal": 3, "team": 1}}
    assert board["sessions"]["active"] == 2
    assert [u["email"] for u in board["latest"]] == ["bob@example.org", "root@example.org", "ann@example.org"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "x"},
        {"email": "new@example.org", "password": "short"},
        {"email": "new@example.org", "name": "a\nb"},
        {"email": "new@example.org", "status": "active"},
        {"email": "new@example.org", "role": "king"},
    ],
)
def test_bad_input(world: World, root: Person, body: dict[str, Any]) -> None:
    assert root.call("POST", "/users", json=body).status_code == 422
    for change in (
        {"avatar": "http://x.org/a.png"},
        {"timezone": "Mars/Olympus"},
        {"roles": []},
        {"id": "x"},
    ):
        assert root.call("PUT", user(world, root), json=change).status_code == 422
    assert root.call("POST", f"{user(world, root)}/suspend", json={"suspended": "x"}).status_code == 422
    assert root.call("POST", f"{user(world, root)}/suspend", data="x").status_code == 415
    assert len(_emails(root)) == 1


def test_a_missing_person(root: Person) -> None:
    nobody = uuid7()
    for method, where, body in (
        ("GET", "", None),
        ("PUT", "", {"name": "x"}),
        ("PUT", "/role", {"role": "admin"}),
        ("POST", "/suspend", {}),
        ("DELETE", "", None),
    ):
        assert root.call(method, f"/users/{nobody}{where}", json=body).status_code == 404
