"""Organisations: whose one is, and that nobody reaches another's."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import delete, insert, select

from core.auth import setup
from core.db import uuid7
from core.orgs import Member, Organisation
from tests.identity.world import Person, World, crowd, statuses


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


@pytest.fixture
def bob(world: World) -> Person:
    return world.person("bob@example.org")


def _create(who: Person, name: str, **more: Any) -> dict[str, Any]:
    answer = who.call("POST", "/orgs", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def _acting(who: Person, org: str) -> Any:
    return who.call("GET", "/auth/me", headers={"X-Org": org})


def test_two_organisations_know_nothing_of_each_other(ann: Person, bob: Person) -> None:
    acme = _create(ann, "Acme", slug="acme")
    bobs = _create(bob, "Bob & Co")

    assert [o["slug"] for o in ann.call("GET", "/orgs").json["items"]][1:] == ["acme"]
    assert [o["id"] for o in bob.call("GET", "/orgs").json["items"]][1:] == [bobs["id"]]
    for path in (acme["id"], "acme"):
        assert ann.call("GET", f"/orgs/{path}").json == acme
        foreign = bob.call("GET", f"/orgs/{path}")
        missing = bob.call("GET", f"/orgs/{uuid4()}")
        assert foreign.status_code == missing.status_code == 404
        assert {k: v for k, v in foreign.json.items() if k != "requestId"} == {
            k: v for k, v in missing.json.items() if k != "requestId"
        }


def test_x_org_chooses_by_id_or_slug(ann: Person) -> None:
    acme = _create(ann, "Acme", slug="acme")

    assert ann.me()["organisationId"] != acme["id"]
    assert _acting(ann, acme["id"]).json["organisationId"] == acme["id"]
    assert _acting(ann, acme["id"].upper()).json["organisationId"] == acme["id"]
    assert _acting(ann, "acme").json["organisationId"] == acme["id"]


@pytest.mark.parametrize(
    "org", ["acme", "nothing", "home", "00000000-0000-0000-0000-000000000000", "' OR 1=1", "é"]
)
def test_x_org_of_others_is_not_found(ann: Person, bob: Person, org: str) -> None:
    _create(ann, "Acme", slug="acme")

    assert _acting(bob, org).status_code == 404


def test_the_path_goes_before_x_org(ann: Person, bob: Person) -> None:
    acme = _create(ann, "Acme", slug="acme")
    _create(bob, "Bob & Co", slug="bobs")

    assert ann.call("GET", "/orgs/acme", headers={"X-Org": "bobs"}).json == acme
    assert bob.call("GET", "/orgs/acme", headers={"X-Org": "bobs"}).status_code == 404


def test_whoever_creates_one_owns_it_also_while_acting_for_another(ann: Person) -> None:
    _create(ann, "Acme", slug="acme")

    answer = ann.call("POST", "/orgs", json={"name": "Second"}, headers={"X-Org": "acme"})

    assert answer.status_code == 201
    assert {(o["name"], o["role"]) for o in ann.me()["organisations"]} == {
        ("Somebody", "owner"),
        ("Acme", "owner"),
        ("Second", "owner"),
    }


def test_owning_an_organisation_gives_no_right_over_the_instance(world: World, ann: Person) -> None:
    _create(ann, "Acme", slug="acme")

    held = set(_acting(ann, "acme").json["permissions"])

    assert {"core.organisation.write", "core.member.write"} <= held
    assert not {
        name
        for name in held
        if name.startswith(("core.user.", "core.role.", "core.plugins.", "core.health."))
    }


@pytest.mark.parametrize(
    ("role", "held"),
    [
        ("viewer", {"core.organisation.read"}),
        ("member", {"core.organisation.read", "core.member.read"}),
        (
            "admin",
            {"core.organisation.read", "core.organisation.write", "core.member.read", "core.member.write"},
        ),
    ],
)
def test_roles_in_an_organisation(world: World, ann: Person, bob: Person, role: str, held: set[str]) -> None:
    acme = _create(ann, "Acme", slug="acme")
    _add(world, acme, "bob@example.org", role)

    given = set(_acting(bob, "acme").json["permissions"])

    everybodys = {"core.organisation.list", "core.organisation.create"}
    assert {p for p in given if p.startswith(("core.organisation.", "core.member."))} == held | everybodys


def test_a_membership_that_ended_is_not_found_and_the_session_goes_on(
    world: World, ann: Person, bob: Person
) -> None:
    acme = _create(ann, "Acme", slug="acme")
    _add(world, acme, "bob@example.org", "member")
    assert _acting(bob, "acme").status_code == 200

    world.execute(delete(Member).where(Member.role == "member"))
    with world.app.app_context():
        from core.orgs import orgs

        orgs().memberships.forget_once_committed()  # what five seconds do in other processes

    assert _acting(bob, "acme").status_code == 404
    assert bob.me()["organisationId"] is not None


def test_when_the_sessions_organisation_is_left_another_one_takes_its_place(
    world: World, ann: Person
) -> None:
    acme = _create(ann, "Acme", slug="acme")
    personal = UUID(ann.me()["organisationId"])
    world.execute(delete(Organisation).where(Organisation.id == personal))
    with world.app.app_context():
        from core.orgs import orgs

        orgs().memberships.forget_once_committed()

    assert ann.me()["organisationId"] == acme["id"]


def _add(world: World, org: dict[str, Any], email: str, role: str) -> None:
    world.execute(
        insert(Member.__table__).values(
            id=uuid7(), organisation_id=UUID(org["id"]), user_id=world.user_id(email), role=role
        )
    )


def test_nobody_known_is_asked_to_sign_in_whatever_they_name(world: World, ann: Person) -> None:
    _create(ann, "Acme", slug="acme")
    client = world.app.test_client()

    for path in ("/orgs", "/orgs/acme", "/orgs/nothing"):
        for headers in ({}, {"X-Org": "acme"}, {"X-Org": "nothing"}):
            assert client.get(f"/api/v1{path}", headers=headers).status_code == 401
    assert client.post("/api/v1/orgs", json={"name": "x"}).status_code == 401


def test_of_a_crowd_that_wants_one_slug_one_gets_it(world: World, ann: Person) -> None:
    answers = crowd(lambda _: ann.call("POST", "/orgs", json={"name": "Acme", "slug": "acme"}), size=8)

    assert statuses(answers) == {201: 1, 409: 7}
    assert len(world.execute(select(Organisation.id).where(Organisation.slug == "acme")).all()) == 1
    assert len(world.execute(select(Member.id)).all()) == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "x" * 121},
        {"name": "a\nb"},
        {"name": 5},
        {"name": "x", "slug": "home"},
        {"name": "x", "slug": "p-abc"},
        {"name": "x", "slug": "UPPER"},
        {"name": "x", "slug": "-abc"},
        {"name": "x", "slug": "ab"},
        {"name": "x", "slug": "abc\n"},
        {"name": "x", "slug": "x" * 64},
        {"name": "x", "slug": "00000000-0000-0000-0000-000000000000"},
        {"name": "x", "kind": "home"},
        {"name": "x", "organisationId": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_bad_input(world: World, ann: Person, body: dict[str, Any]) -> None:
    assert ann.call("POST", "/orgs", json=body).status_code == 422
    assert len(world.execute(select(Organisation.id)).all()) == 1


def test_names_of_any_script_get_a_slug(ann: Person) -> None:
    assert _create(ann, "Żółć & Söhne")["slug"].startswith("zoc-sohne-")
    assert _create(ann, "日本")["slug"].startswith("org-")


def test_there_is_one_home_however_often_it_is_asked_for(world: World) -> None:
    setup.issue_link(world.app)
    setup.issue_link(world.app)

    assert world.execute(select(Organisation.slug)).scalars().all() == ["home"]


def test_lists_are_paged(ann: Person) -> None:
    for number in range(3):
        _create(ann, f"Number {number}")

    first = ann.call("GET", "/orgs?limit=3").json
    second = ann.call("GET", f"/orgs?limit=3&cursor={first['nextCursor']}").json

    assert [len(first["items"]), len(second["items"]), second["nextCursor"]] == [3, 1, None]
