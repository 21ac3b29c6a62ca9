"""Alerts belong to one person in one organisation, and tell at the rhythm asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from core.api import begin, enqueue
from core.testing import Instance, Person

from .conftest import Feed
from .test_walk import alert, told

Fetch = Callable[..., dict[str, Any]]


def test_an_alert_is_made_read_changed_and_deleted(ada: Person) -> None:
    filters = {
        "query": "python",
        "location": "Berlin",
        "type": ["full_time"],
        "remote": True,
        "salaryMin": 50000,
        "companies": ["Acme"],
    }
    made = ada.post("/job-alerts", {"name": "Python", "filters": filters}).json or {}
    assert made["filters"] == filters
    assert (made["frequency"], made["isActive"], made["lastSentAt"]) == ("instant", True, None)
    assert ada.get(f"/job-alerts/{made['id']}").json == made
    assert ada.get("/job-alerts").json == {"items": [made], "nextCursor": None}

    changed = ada.put(f"/job-alerts/{made['id']}", {"isActive": False, "frequency": "weekly"}).json or {}
    assert changed["filters"] == filters
    assert (changed["isActive"], changed["frequency"], changed["name"]) == (False, "weekly", "Python")
    narrowed = ada.put(f"/job-alerts/{made['id']}", {"filters": {"query": "rust"}}).json or {}
    assert narrowed["filters"] == {"query": "rust"}

    assert ada.delete(f"/job-alerts/{made['id']}").status_code == 204
    assert ada.get(f"/job-alerts/{made['id']}").status_code == 404


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({}, "name"),
    ({"name": ""}, "name"),
    ({"name": "x" * 121}, "name"),
    ({"name": "x", "frequency": "hourly"}, "frequency"),
    ({"name": "x", "filters": {"type": ["fulltime"]}}, "filters.type.0"),
    ({"name": "x", "filters": {"salaryMin": -1}}, "filters.salaryMin"),
    ({"name": "x", "filters": {"colour": "red"}}, "filters.colour"),
    ({"name": "x", "userId": "00000000-0000-7000-8000-000000000000"}, "userId"),
]


def test_an_alert_that_cannot_be_is_refused_by_field(ada: Person, subtests: pytest.Subtests) -> None:
    for body, field in REFUSED:
        with subtests.test(str(body)):
            answer = ada.post("/job-alerts", body)

            assert answer.status_code == 422
            assert list((answer.json or {})["errors"]) == [field]


def test_nobody_sees_or_touches_anothers(fetch: Fetch, ada: Person, bob: Person) -> None:
    mine = alert(ada, "Everything")
    fetch()

    assert (bob.get("/job-alerts").json or {})["items"] == []
    assert told(bob) == []
    for method, path in [
        ("GET", f"/job-alerts/{mine}"),
        ("PUT", f"/job-alerts/{mine}"),
        ("DELETE", f"/job-alerts/{mine}"),
        ("POST", f"/job-alerts/{mine}/preview"),
        ("GET", f"/job-alerts/{mine}/matches"),
    ]:
        body = {"name": "stolen"} if method == "PUT" else None
        assert bob.call(method, path, json=body).status_code == 404, (method, path)
    assert (ada.get(f"/job-alerts/{mine}").json or {})["name"] == "Everything"


def test_anothers_organisation_cannot_be_borrowed(ada: Person, bob: Person) -> None:
    mine = alert(ada, "Everything")
    theirs = (ada.get("/orgs").json or {})["items"][0]["id"]

    answer = bob.get(f"/job-alerts/{mine}", headers={"X-Org": theirs})
    assert answer.status_code == 404


def test_matches_are_listed_and_preview_sends_nothing(fetch: Fetch, ada: Person, bob: Person) -> None:
    mine, theirs = alert(ada, "Python", filters={"query": "python"}), alert(bob, "All")
    fetch()
    late = alert(ada, "Late", filters={"query": "devops"})

    matched = (ada.get(f"/job-alerts/{mine}/matches").json or {})["items"]
    assert [item["title"] for item in matched] == ["Python Developer"]
    assert len((bob.get(f"/job-alerts/{theirs}/matches").json or {})["items"]) == 6
    assert (ada.get(f"/job-alerts/{late}/matches").json or {})["items"] == []
    preview = ada.post(f"/job-alerts/{late}/preview").json or {}
    assert [item["title"] for item in preview["items"]] == ["DevOps Engineer"]
    assert told(ada) == ["1 new match for Python"]


def test_digests_come_at_their_time_and_once(
    boards: Instance, fetch: Fetch, ada: Person, bob: Person
) -> None:
    daily = alert(ada, "Daily", frequency="daily")
    alert(bob, "Weekly", frequency="weekly")
    fetch()
    assert told(ada) == told(bob) == []

    for _ in range(2):
        digest(boards, "daily")
    assert (told(ada), told(bob)) == (["6 new matches for Daily"], [])
    assert (ada.get(f"/job-alerts/{daily}").json or {})["lastSentAt"] is not None
    for _ in range(2):
        digest(boards, "weekly")
    assert (told(ada), told(bob)) == (["6 new matches for Daily"], ["6 new matches for Weekly"])


def test_what_an_interrupted_ingest_left_is_told_next_day(boards: Instance, ada: Person) -> None:
    from plugins.job_boards import ingest as module
    from plugins.job_boards.api import Feed as Address
    from plugins.job_boards.providers import remoteok

    from .conftest import sample

    alert(ada, "Everything")
    provider = remoteok.provider()
    with boards.app.app_context(), pytest.MonkeyPatch.context() as patch:

        def killed(_run: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(module, "_close", killed)
        with pytest.raises(KeyboardInterrupt):
            module.ingest(provider, "remoteok", provider.read(sample("remoteok.json"), Address("")))
    boards.drain()
    assert told(ada) == []

    digest(boards, "daily")
    assert told(ada) == []  # it may still be running
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2)):
        digest(boards, "daily")
    assert told(ada) == ["6 new matches for Everything"]


def test_an_interrupted_fetch_continues_and_tells_once(boards: Instance, feed: Feed, ada: Person) -> None:
    from plugins.job_boards import ingest as module
    from plugins.job_boards.api import Feed as Address
    from plugins.job_boards.providers import remoteok

    from .conftest import sample

    alert(ada, "Everything")
    provider = remoteok.provider()

    def run() -> module.Result:
        reading = provider.read(sample("remoteok.json"), Address(""))
        return module.ingest(provider, "remoteok", reading, run_key="one task")

    with boards.app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BATCH", 2)
        stored = module._store
        batches = iter([stored, stored])
        patch.setattr(module, "_store", lambda *arguments: next(batches)(*arguments))
        with pytest.raises(StopIteration):
            run()
        boards.drain()
        assert told(ada) == []
        patch.undo()
        result = run()
        assert run() == result
    boards.drain()

    assert result.counts == {"created": 6, "updated": 0, "unchanged": 4, "skipped": 0}
    assert told(ada) == ["6 new matches for Everything"]


def test_a_hundred_alerts_are_enough(ada: Person, bob: Person) -> None:
    for number in range(100):
        alert(ada, f"Alert {number}")

    assert ada.post("/job-alerts", {"name": "One more"}).status_code == 409
    assert bob.post("/job-alerts", {"name": "One"}).status_code == 201


def digest(boards: Instance, frequency: str) -> None:
    """What the schedules do."""
    with boards.app.app_context():
        with begin():
            enqueue("job_boards.digest", {"frequency": frequency})
        boards.drain()
