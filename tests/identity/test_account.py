"""One's own profile and preferences."""

from __future__ import annotations

from typing import Any

import pytest

from core.users.preferences import LARGEST
from tests.identity.world import CROWD, Person, World, crowd, statuses


@pytest.fixture
def ann(world: World) -> Person:
    return world.person("ann@example.org")


def _profile(who: Person, **json: Any) -> Any:
    return who.call("PUT", "/auth/profile", json=json)


def _prefer(who: Person, **json: Any) -> Any:
    return who.call("PATCH", "/auth/preferences", json=json)


def test_a_profile_is_ones_own(world: World, ann: Person) -> None:
    bob = world.person("bob@example.org")

    answer = _profile(ann, name="Ann Example", avatar="https://cdn.example.org/ann.png")

    assert answer.status_code == 200
    assert {k: answer.json[k] for k in ("email", "name", "avatar")} == {
        "email": "ann@example.org",
        "name": "Ann Example",
        "avatar": "https://cdn.example.org/ann.png",
    }
    assert ann.me()["name"] == "Ann Example"
    assert (bob.me()["name"], bob.me()["avatar"]) == ("Somebody", None)
    assert [(e["user_id"], e["fields"]) for e in world.events("user.updated")] == [
        (str(world.user_id("ann@example.org")), ["avatar", "name"])
    ]


def test_what_is_left_out_stays_and_a_picture_can_go(world: World, ann: Person) -> None:
    _profile(ann, name="Ann", avatar="https://cdn.example.org/ann.png")

    assert _profile(ann, avatar=None).json["name"] == "Ann"
    assert ann.me()["avatar"] is None
    assert _profile(ann).status_code == 200
    assert len(world.events("user.updated")) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("name", "two\nlines"),
        ("name", "\0"),
        ("name", None),
        ("avatar", "javascript:alert(1)"),
        ("avatar", "data:image/png;base64,AA"),
        ("avatar", "https://example.org/" + "x" * 500),
        ("email", "other@example.org"),
        ("status", "active"),
        ("roles", ["superadmin"]),
    ],
)
def test_a_profile_that_cannot_be(ann: Person, field: str, value: Any) -> None:
    answer = _profile(ann, **{field: value})

    assert (answer.status_code, set(answer.json["errors"])) == (422, {field})
    assert ann.me()["name"] == "Somebody"


def test_preferences_begin_with_what_is_usual(ann: Person) -> None:
    assert ann.me()["preferences"] == {
        "emailNotifications": True,
        "jobAlerts": True,
        "newsletter": False,
        "custom": {},
    }


def test_preferences_are_changed_one_by_one(world: World, ann: Person) -> None:
    bob = world.person("bob@example.org")

    first = _prefer(ann, locale="pt-BR", timezone="America/Sao_Paulo", emailNotifications=False)
    second = _prefer(ann, newsletter=True, custom={"theme": "dark", "columns": ["company", "stage"]})
    third = _prefer(ann, custom={"theme": None, "density": 2})

    assert [a.status_code for a in (first, second, third)] == [200, 200, 200]
    assert third.json == {
        "locale": "pt-BR",
        "timezone": "America/Sao_Paulo",
        "emailNotifications": False,
        "jobAlerts": True,
        "newsletter": True,
        "custom": {"columns": ["company", "stage"], "density": 2},
    }
    me = ann.me()
    assert me["preferences"] == {k: v for k, v in third.json.items() if k not in ("locale", "timezone")}
    assert (me["locale"], me["timezone"]) == ("pt-BR", "America/Sao_Paulo")
    assert bob.me()["preferences"]["custom"] == {}
    assert bob.me()["locale"] == "en"


def test_of_a_crowd_nobody_loses_what_another_set(ann: Person) -> None:
    answers = crowd(lambda n: _prefer(ann, custom={f"key{n}": n}))

    assert statuses(answers) == {200: CROWD}
    assert ann.me()["preferences"]["custom"] == {f"key{n}": n for n in range(CROWD)}


def _nested(levels: int) -> Any:
    return [_nested(levels - 1)] if levels else 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("locale", "english please"),
        ("locale", "en\n"),
        ("locale", "x" * 36),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
        ("emailNotifications", "yes"),
        ("jobAlerts", 1.5),
        ("newsletter", None),
        ("custom", []),
        ("custom", {"": 1}),
        ("custom", {"x" * 65: 1}),
        ("custom", {"a": "\0"}),
        ("custom", {"a": {"\0": 1}}),
        ("custom", {"a": _nested(6)}),
        ("custom", {str(n): n for n in range(51)}),
        ("custom", {"a": "x" * LARGEST}),
        ("theme", "dark"),
    ],
)
def test_preferences_that_cannot_be(ann: Person, field: str, value: Any) -> None:
    before = ann.me()
    answer = _prefer(ann, **{field: value})

    assert (answer.status_code, set(answer.json["errors"])) == (422, {field})
    assert ann.me() == before


def test_custom_preferences_cannot_grow_without_end(ann: Person) -> None:
    for n in range(3):
        last = _prefer(ann, custom={f"key{n}": "x" * 3000})

    assert (last.status_code, set(last.json["errors"])) == (422, {"custom"})
    assert set(ann.me()["preferences"]["custom"]) == {"key0", "key1"}


@pytest.mark.parametrize(("method", "path"), [("PUT", "profile"), ("PATCH", "preferences")])
def test_nobody_known_has_neither(world: World, method: str, path: str) -> None:
    assert world.app.test_client().open(f"/api/v1/auth/{path}", method=method, json={}).status_code == 401
