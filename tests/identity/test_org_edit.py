"""Changing an organisation: its name, slug, language and looks, by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from tests.identity.teams import code_of, found, join
from tests.identity.world import Person, World, crowd, statuses

LOGO = "https://cdn.example.org/logo.png"


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


@pytest.fixture
def acme(ann: Person) -> dict[str, Any]:
    return found(ann, "acme")


def _patch(who: Person, body: Any, org: str = "acme") -> Any:
    return who.call("PATCH", f"/orgs/{org}", json=body)


def test_only_what_is_given_changes(world: World, ann: Person, acme: dict[str, Any]) -> None:
    answer = _patch(ann, {"name": "Acme GmbH", "locale": "de-AT"})

    assert answer.status_code == 200
    assert answer.json == {**acme, "name": "Acme GmbH", "locale": "de-AT"}
    assert ann.call("GET", "/orgs/acme").json == answer.json
    assert world.events("organisation.updated") == [{"fields": ["locale", "name"]}]
    assert _patch(ann, {}).json == answer.json
    assert _patch(ann, {"name": "Acme GmbH"}).status_code == 200
    assert len(world.events("organisation.updated")) == 1  # nothing changed, nothing to tell


def test_branding_is_merged_and_null_takes_away(ann: Person, acme: dict[str, Any]) -> None:
    assert acme["branding"] == {}
    _patch(ann, {"branding": {"logoUrl": LOGO, "primaryColor": "#1f5fbf"}})
    _patch(ann, {"branding": {"primaryColor": None, "footer": "Acme, Vienna"}})

    looks = ann.call("GET", "/orgs/acme").json["branding"]

    assert looks == {"logoUrl": LOGO, "footer": "Acme, Vienna"}


def test_another_slug_is_the_new_way_there(ann: Person, acme: dict[str, Any]) -> None:
    assert _patch(ann, {"slug": "acme-corp"}).status_code == 200

    assert ann.call("GET", "/orgs/acme").status_code == 404
    assert ann.call("GET", "/orgs/acme-corp").json["id"] == acme["id"]


def test_a_slug_of_others_is_taken(world: World, ann: Person, acme: dict[str, Any]) -> None:
    eve = world.person("eve@example.org")
    found(eve, "evil")

    assert code_of(_patch(eve, {"slug": "acme", "name": "Mine"}, "evil")) == (409, "conflict")
    assert eve.call("GET", "/orgs/evil").json["name"] == "Evil"  # nothing half-written
    assert ann.call("GET", "/orgs/acme").json == acme


def test_of_a_crowd_that_wants_one_slug_one_gets_it(world: World, ann: Person) -> None:
    for number in range(6):
        found(ann, f"org-{number}")

    answers = crowd(lambda n: _patch(ann, {"slug": "wanted"}, f"org-{n}"), size=6)

    assert statuses(answers) == {200: 1, 409: 5}


@pytest.mark.parametrize(("role", "status"), [("admin", 200), ("member", 403), ("viewer", 403), (None, 404)])
def test_who_may(world: World, acme: dict[str, Any], role: str | None, status: int) -> None:
    bob = world.person("bob@example.org")
    if role:
        join(world, acme, bob, role)

    assert _patch(bob, {"name": "Bob's"}).status_code == status
    assert world.app.test_client().patch("/api/v1/orgs/acme", json={"name": "x"}).status_code == 401


def test_a_personal_organisation_is_renamed_like_any(ann: Person) -> None:
    mine = ann.me()["organisationId"]

    assert _patch(ann, {"name": "My search", "slug": "annes"}, mine).json["kind"] == "personal"
    assert ann.call("GET", "/orgs/annes").json["name"] == "My search"


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": None},
        {"slug": "home"},
        {"slug": "p-abc"},
        {"slug": "A"},
        {"kind": "home"},
        {"createdBy": "x"},
        {"deletesAt": None},
        {"locale": "german, please"},
        {"locale": "en\n"},
        {"branding": None},
        {"branding": []},
        {"branding": {"logoUrl": "http://example.org/x.png"}},
        {"branding": {"logoUrl": "javascript:alert(1)"}},
        {"branding": {"logoUrl": "https://example.org/" + "x" * 500}},
        {"branding": {"primaryColor": "red; background: url(x)"}},
        {"branding": {"primaryColor": "#12345\n"}},
        {"branding": {"footer": "a\r\nBcc: x"}},
        {"branding": {"css": "*{}"}},
    ],
)
def test_bad_input(ann: Person, acme: dict[str, Any], body: Any) -> None:
    assert _patch(ann, body).status_code == 422
    assert ann.call("GET", "/orgs/acme").json == acme
