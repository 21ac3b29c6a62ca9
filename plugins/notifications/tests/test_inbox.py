"""The inbox over HTTP: one's own, in the organisation acted for, and nobody else's."""

from __future__ import annotations

from uuid import UUID, uuid4

from core.api import acting_for, begin
from core.testing import Person
from plugins.notifications.api import notify

from .conftest import World, inbox, keys


def unread(person: Person) -> int:
    answer = person.get("/notifications/unread-count")
    assert answer.status_code == 200, answer.text
    return int((answer.json or {})["unread"])


def test_newest_first_page_by_page(world: World) -> None:
    world.happens(world.ada, "one", "two", "three")
    first = world.ada.get("/notifications?limit=2").json or {}
    assert [item["data"]["key"] for item in first["items"]] == ["three", "two"]
    rest = world.ada.get(f"/notifications?limit=2&cursor={first['nextCursor']}").json or {}
    assert [item["data"]["key"] for item in rest["items"]] == ["one"]
    assert rest["nextCursor"] is None
    newest = first["items"][0]
    assert newest | {"id": "", "createdAt": ""} == {
        "id": "",
        "type": "news",
        "title": "About three",
        "body": "It is so.",
        "data": {"key": "three"},
        "readAt": None,
        "createdAt": "",
    }
    assert newest["createdAt"].endswith("Z")


def test_reading_one_keeps_the_first_readings_time(world: World) -> None:
    world.happens(world.ada, "one", "two")
    first = inbox(world.ada)[1]
    read = world.ada.put(f"/notifications/{first['id']}/read")
    assert read.status_code == 200, read.text
    again = world.ada.put(f"/notifications/{first['id']}/read")
    assert read.json is not None
    assert read.json["readAt"] is not None
    assert again.json == read.json
    assert unread(world.ada) == 1
    assert keys(world.ada, "?unread=true") == ["two"]
    assert keys(world.ada, "?unread=false") == ["one"]


def test_reading_all_says_how_many_were_unread(world: World) -> None:
    world.happens(world.ada, "one", "two")
    assert world.ada.put("/notifications/read-all").json == {"updated": 2}
    assert world.ada.put("/notifications/read-all").json == {"updated": 0}
    assert unread(world.ada) == 0
    assert len(inbox(world.ada)) == 2


def test_deleting_one_and_all(world: World) -> None:
    world.happens(world.ada, "one", "two", "three")
    gone = inbox(world.ada)[0]["id"]
    assert world.ada.delete(f"/notifications/{gone}").status_code == 204
    assert world.ada.delete(f"/notifications/{gone}").status_code == 404
    assert keys(world.ada) == ["two", "one"]
    assert world.ada.delete("/notifications").status_code == 204
    assert inbox(world.ada) == []


def test_nobody_reaches_anothers(world: World) -> None:
    world.happens(world.ada, "hers")
    world.happens(world.bob, "his")
    assert keys(world.bob) == ["his"]
    (hers,) = inbox(world.ada)
    unknown = uuid4()
    for method, path in (("PUT", "/notifications/{}/read"), ("DELETE", "/notifications/{}")):
        foreign = world.bob.call(method, path.format(hers["id"]))
        missing = world.bob.call(method, path.format(unknown))
        assert foreign.status_code == missing.status_code == 404
        assert (foreign.json or {})["code"] == (missing.json or {})["code"]
    world.bob.put("/notifications/read-all")
    world.bob.delete("/notifications")
    assert inbox(world.ada) == [hers]
    assert unread(world.ada) == 1


def test_a_persons_organisations_are_kept_apart(world: World) -> None:
    team = (world.ada.post("/orgs", {"name": "Team"}).json or {})["id"]
    world.happens(world.ada, "mine")
    world.happens(world.ada, "ours", organisation=team)
    assert keys(world.ada) == ["mine"]
    assert keys(world.ada, **{"X-Org": team}) == ["ours"]
    (ours,) = inbox(world.ada, **{"X-Org": team})
    assert world.ada.put(f"/notifications/{ours['id']}/read").status_code == 404
    assert world.ada.delete(f"/notifications/{ours['id']}").status_code == 404
    world.ada.put("/notifications/read-all")
    world.ada.delete("/notifications")
    assert [item["readAt"] for item in inbox(world.ada, **{"X-Org": team})] == [None]
    assert world.bob.get("/notifications", headers={"X-Org": team}).status_code == 404


def test_a_colleagues_are_not_ones_own(world: World) -> None:
    world.happens(world.bob, "for bob", organisation=world.ada.me["organisationId"])
    assert inbox(world.ada) == []
    assert unread(world.ada) == 0
    assert world.ada.put("/notifications/read-all").json == {"updated": 0}
    world.ada.delete("/notifications")
    world.happens(world.ada, "for ada")
    assert keys(world.ada) == ["for ada"]


def test_the_last_hundred_are_kept_of_each_person_and_organisation(world: World) -> None:
    def told(person: Person, count: int) -> None:
        with world.instance.app.app_context(), begin(), acting_for(UUID(person.me["organisationId"])):
            for number in range(count):
                assert notify(
                    user_id=person.id,
                    type="news",
                    title="t",
                    body="b",
                    data={"key": f"{number}"},
                    key=f"{number}",
                )

    told(world.bob, 3)
    told(world.ada, 104)
    assert keys(world.ada, "?limit=100") == [f"{number}" for number in range(103, 3, -1)]
    assert len(inbox(world.bob)) == 3


def test_strangers_are_asked_to_sign_in(world: World) -> None:
    stranger = world.instance.app.test_client()
    for method, path in (
        ("GET", "/notifications"),
        ("GET", "/notifications/unread-count"),
        ("PUT", f"/notifications/{uuid4()}/read"),
        ("PUT", "/notifications/read-all"),
        ("DELETE", f"/notifications/{uuid4()}"),
        ("DELETE", "/notifications"),
    ):
        assert stranger.open(f"/api/v1{path}", method=method).status_code == 401, (method, path)


def test_a_query_that_cannot_be_is_422(world: World) -> None:
    for query in ("unread=perhaps", "colour=red", "sort=title", "limit=1000", "cursor=x"):
        assert world.ada.get(f"/notifications?{query}").status_code == 422, query
