"""Who sees what of what happened."""

from __future__ import annotations

import csv
import io
import json
from uuid import UUID

import pytest

from plugins.audit import export, service

from .conftest import World


def actions(rows: list[dict[str, object]]) -> list[object]:
    return [row["action"] for row in rows]


def test_a_row_says_who_did_what_to_whom_from_where(world: World) -> None:
    answer = world.ada.put("/auth/profile", {"name": "Ada L"}, headers={"X-Request-Id": "a-request-of-ada"})
    assert answer.status_code == 200
    (row,) = [r for r in world.told(world.root) if r["requestId"] == "a-request-of-ada"]
    assert row["action"] == "user.updated"
    assert row["actor"] == f"user:{world.ada.id}"
    assert (row["targetType"], row["targetId"]) == ("user", str(world.ada.id))
    assert row["ip"] == "127.0.0.1"
    assert row["data"] == {"fields": ["name"]}
    assert row["occurredAt"] <= row["recordedAt"]


def test_an_organisation_has_a_chain_of_its_own(world: World) -> None:
    mine, other = world.team(world.ada), world.team(world.bob)
    world.ada.call("PATCH", f"/orgs/{mine['slug']}", json={"name": "Another"})
    invited = world.ada.post(f"/orgs/{mine['slug']}/invitations", {"email": "eve@example.com"}).json or {}
    world.ada.delete(f"/orgs/{mine['slug']}/invitations/{invited['id']}")
    rows = world.told(world.ada, **{"X-Org": mine["slug"]})
    assert [(row["seq"], row["action"]) for row in rows] == [
        (4, "invitation.withdrawn"),
        (3, "invitation.created"),
        (2, "organisation.updated"),
        (1, "organisation.created"),
    ]
    assert (rows[1]["targetType"], rows[1]["targetId"]) == ("invitation", invited["id"])
    assert (rows[2]["targetType"], rows[2]["targetId"]) == ("organisation", mine["id"])
    theirs = world.told(world.bob, **{"X-Org": other["slug"]})
    assert actions(theirs) == ["organisation.created"]
    assert world.bob.get("/audit", headers={"X-Org": mine["slug"]}).status_code == 404
    assert world.bob.get("/audit/verify", headers={"X-Org": mine["id"]}).status_code == 404
    assert world.told(world.bob, f"?actor={world.ada.id}") == []


@pytest.mark.parametrize("path", ["/audit", "/audit/export", "/audit/verify"])
def test_the_instances_chain_is_for_who_may_see_it(world: World, path: str) -> None:
    assert world.ada.get(f"{path}?chain=instance").status_code == 403
    assert world.root.get(f"{path}?chain=instance").status_code == 200
    assert world.instance.app.test_client().get(f"/api/v1{path}").status_code == 401


def test_who_may_see_the_instance_sees_it_unless_they_name_an_organisation(world: World) -> None:
    mine = world.team(world.root)
    assert "user.created" in actions(world.told(world.root))
    assert actions(world.told(world.root, **{"X-Org": mine["slug"]})) == ["organisation.created"]
    assert actions(world.told(world.root, "?chain=organisation")) == ["organisation.created"]


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("member", 403), ("admin", 200)])
def test_members_below_admin_see_nothing_of_the_organisations(world: World, role: str, status: int) -> None:
    team = world.team(world.ada)
    person = world.instance.person(f"{role}-{team['slug']}@example.com")
    world.join(team, person, role)
    for path in ("/audit", "/audit/export", "/audit/verify"):
        assert person.get(path, headers={"X-Org": team["slug"]}).status_code == status


def test_filters(world: World) -> None:
    team = world.team(world.ada)
    where = {"X-Org": team["slug"]}
    carl = world.instance.person(f"carl-{team['slug']}@example.com")
    world.join(team, carl, "admin")
    carl.call("PATCH", f"/orgs/{team['slug']}", json={"name": "Carl's"})
    world.ada.put(f"/orgs/{team['slug']}/members/{carl.id}", {"role": "viewer"})
    changed, updated, accepted, added, invited, created = world.told(world.ada, **where)
    assert [row["action"] for row in (accepted, added, invited)] == [
        "invitation.accepted",
        "member.added",
        "invitation.created",
    ]
    for query, wanted in {
        f"?actor={carl.id}": [updated, accepted, added],
        f"?actor=user:{carl.id}": [updated, accepted, added],
        "?actor=nobody": [],
        "?action=organisation.created": [created],
        "?action=organisation.created,member.role_changed": [changed, created],
        f"?target={carl.id}": [changed, added],
        "?targetType=organisation": [updated, created],
        f"?from={updated['occurredAt']}": [changed, updated],
        f"?to={updated['occurredAt']}": [accepted, added, invited, created],
        "?chain=organisation&action=member.role_changed": [changed],
    }.items():
        assert world.told(world.ada, query, **where) == wanted, query
    assert changed["data"] == {"role": "viewer", "before": "admin"}


def test_pages(world: World) -> None:
    everything = world.told(world.root, "?limit=100")
    seen: list[dict[str, object]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = world.root.get(f"/audit?limit=3&cursor={cursor}").json or {}
        seen += answer["items"]
        cursor = answer["nextCursor"]
    assert seen[: len(everything)] == everything
    assert [row["seq"] for row in seen] == list(range(len(seen), 0, -1))


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/audit?chain=mine", "chain"),
        ("/audit?from=yesterday", "from"),
        ("/audit?from=2026-01-01T00:00:00", "from"),
        ("/audit?to=1", "to"),
        ("/audit?actor=", "actor"),
        ("/audit?action=%00", "action.0"),
        ("/audit?target=" + "x" * 101, "target"),
        ("/audit?limit=0", "limit"),
        ("/audit?cursor=x", "cursor"),
        ("/audit?sort=hash", "sort"),
        ("/audit?hash=x", "hash"),
        ("/audit/verify?chain=all", "chain"),
        ("/audit/export?format=pdf", "format"),
        ("/audit/export?after=-1", "after"),
        ("/audit/export?after=99999999999999999999", "after"),
        ("/me/audit?cursor=x", "cursor"),
        ("/me/audit?limit=101", "limit"),
        ("/me/audit?actor=x", "actor"),
    ],
)
def test_bad_input_is_named(world: World, path: str, wrong: str) -> None:
    answer = world.root.get(path)
    assert (answer.status_code, list((answer.json or {})["errors"])) == (422, [wrong])
    assert answer.mimetype == "application/problem+json"


def test_nobody_writes_over_http(world: World) -> None:
    row = world.told(world.root)[0]
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert world.root.call(method, "/audit", json={}).status_code == 405
        assert world.root.call(method, f"/audit/{row['id']}", json={}).status_code == 404


def test_what_concerns_me(world: World) -> None:
    dan = world.instance.person("dan@example.com")
    dan.put("/auth/profile", {"name": "Dan"})
    root = world.root
    assert root.put(f"/users/{dan.id}/role", {"roles": ["author"]}).status_code == 200
    world.instance.drain()
    rows = (dan.get("/me/audit").json or {})["items"]
    assert [(r["chain"], r["action"]) for r in rows][:2] == [
        ("instance", "user.roles_changed"),
        ("instance", "user.updated"),
    ]
    assert ("organisation", "organisation.created") not in [(r["chain"], r["action"]) for r in rows]
    assert (rows[0]["actor"], rows[0]["ip"], rows[0]["requestId"]) == (f"user:{root.id}", None, None)
    assert rows[1]["ip"] == "127.0.0.1"
    assert all(str(dan.id) in (r["actor"].removeprefix("user:"), r["targetId"]) for r in rows)
    assert not {r["id"] for r in rows} & {r["id"] for r in (world.bob.get("/me/audit").json or {})["items"]}


def test_what_concerns_me_comes_of_the_organisation_i_act_for_too(world: World) -> None:
    team, other = world.team(world.ada), world.team(world.ada)
    world.ada.call("PATCH", f"/orgs/{team['slug']}", json={"name": "Mine"})
    world.instance.drain()
    found: list[dict[str, object]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = world.ada.get(
            f"/me/audit?limit=2{cursor and f'&cursor={cursor}'}", headers={"X-Org": team["slug"]}
        )
        found += (answer.json or {})["items"]
        cursor = (answer.json or {})["nextCursor"]
    assert len({row["id"] for row in found}) == len(found)
    theirs = [row for row in found if row["chain"] == "organisation"]
    assert [row["action"] for row in theirs] == ["organisation.updated", "organisation.created"]
    assert {row["targetId"] for row in theirs} == {team["id"]} != {other["id"]}
    assert "user.updated" in actions(found) or "user.created" in actions(found)


def test_export(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    newest = world.told(world.root, "?limit=100")
    answer = world.root.get("/audit/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.jsonl"'
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert rows[-100:] == newest[::-1][-100:]
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    for module in (service, export):
        monkeypatch.setattr(module, "MOST", 2)
    first = world.root.get("/audit/export?format=csv")
    table = list(csv.DictReader(io.StringIO(first.text)))
    assert [line["seq"] for line in table] == ["1", "2"]
    assert json.loads(table[0]["data"]) == rows[0]["data"]
    after = first.headers["X-Next-After"]
    second = world.root.get(f"/audit/export?after={after}&to={rows[2]['occurredAt']}")
    assert second.text == ""
    second = world.root.get(f"/audit/export?after={after}&from={rows[2]['occurredAt']}")
    assert json.loads(second.text.splitlines()[0]) == rows[2]


def test_a_cell_is_no_formula() -> None:
    assert export._cell("=1+1") == "'=1+1"
    assert export._cell({"a": "=1"}) == '{"a": "=1"}'


def test_nothing_but_ids_of_people_is_kept(world: World) -> None:
    frank = world.instance.person("frank-the-one@example.com")
    team = world.team(frank)
    frank.put("/auth/profile", {"name": "Franklin Unmistakable"})
    frank.post(f"/orgs/{team['slug']}/invitations", {"email": "somebody-else@example.com"})
    client = world.instance.app.test_client()
    client.post("/api/v1/auth/forgot-password", json={"email": "frank-the-one@example.com"})
    world.instance.drain()
    kept = [repr(vars(row)) for row in (*world.rows(), *world.rows(UUID(team["id"])))]
    assert any("otp.requested" in text for text in kept)
    for text in kept:
        assert "@" not in text
        assert "Unmistakable" not in text
