"""From a feed to a notification, through the doors a person and an admin use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.testing import Instance, Person

from .conftest import Feed, found, sample

Fetch = Callable[..., dict[str, Any]]


def alert(person: Person, name: str = "Python", **more: Any) -> str:
    answer = person.post("/job-alerts", {"name": name, **more})
    assert answer.status_code == 201, answer.text
    return str((answer.json or {})["id"])


def told(person: Person) -> list[str]:
    answer = person.get("/notifications")
    assert answer.status_code == 200, answer.text
    return [item["title"] for item in (answer.json or {})["items"]]


def test_a_fetch_fills_the_search_and_tells_each_alert_once(fetch: Fetch, ada: Person, bob: Person) -> None:
    alert(ada, "Everything")
    alert(ada, "Python", filters={"query": "python"})
    alert(ada, "Nothing", filters={"query": "astronaut"})
    alert(bob, "Well paid", filters={"salaryMin": 90000})

    health = fetch()

    assert (health["status"], health["runs"], health["createdCount"]) == ("ok", 1, 6)
    assert len(found(ada)) == 6
    assert sorted(told(ada)) == ["1 new match for Python", "6 new matches for Everything"]
    assert told(bob) == ["2 new matches for Well paid"]


def test_reading_the_same_again_creates_nothing_and_tells_nobody(fetch: Fetch, ada: Person) -> None:
    alert(ada, "Everything")
    fetch()
    health = fetch()

    assert (health["runs"], health["createdCount"], health["updatedCount"]) == (2, 6, 0)
    assert len(found(ada)) == 6
    assert told(ada) == ["6 new matches for Everything"]


def test_a_changed_posting_is_updated_in_place(fetch: Fetch, feed: Feed, ada: Person) -> None:
    alert(ada, "Everything")
    fetch()
    before = ada.get("/job-postings/search", query_string={"query": "python"}).json["items"][0]  # type: ignore[index]
    feed.answers_with(sample("remoteok.json").replace(b"Python Developer", b"Python Engineer"))
    health = fetch()

    assert (health["createdCount"], health["updatedCount"]) == (6, 1)
    after = ada.get(f"/job-postings/{before['id']}").json
    assert after is not None
    assert after["title"] == "Python Engineer"
    assert after["postedAt"] == before["postedAt"] == "2026-01-05T09:30:00Z"
    assert told(ada) == ["6 new matches for Everything"]


def test_only_new_postings_are_told_of_next_time(fetch: Fetch, feed: Feed, ada: Person) -> None:
    alert(ada, "Everything")
    fetch()
    feed.answers_with(sample("remoteok_missing_titles.json"))
    fetch()

    assert told(ada) == ["2 new matches for Everything", "6 new matches for Everything"]


def test_an_inactive_alert_is_silent(fetch: Fetch, ada: Person) -> None:
    alert(ada, "Everything", isActive=False)
    fetch()

    assert told(ada) == []


def test_one_job_of_two_sources_is_found_once(
    boards: Instance, feed: Feed, ada: Person, fetch: Fetch
) -> None:
    boards.environ["JOBSTEAD_PLUGINS__JOB_BOARDS__GREENHOUSE__URL"] = feed.url
    fetch()
    job = {
        "id": 5,
        "title": "python developer",
        "company_name": "WATERWHEEL Inc.",
        "location": {"name": "Remote"},
        "absolute_url": "https://boards.greenhouse.io/waterwheel/jobs/5",
    }
    alert(ada, "Everything")
    from .test_command import ingest

    told_counts = ingest(boards, {"jobs": [job]}, "greenhouse")

    assert told_counts["created"] == 1
    assert [title for title in found(ada) if title.lower() == "python developer"] == ["Python Developer"]
    assert told(ada) == []
