"""Feeds that misbehave: told on the source's health, asked again in time, and nothing stored is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import time_machine

from core.testing import Instance, Person

from .conftest import Feed, found, health, sample

Fetch = Callable[..., dict[str, Any]]

MISBEHAVIOUR = [
    ("remoteok_truncated.json", 200, "The answer breaks off before its JSON ends"),
    ("maintenance.html", 200, "The answer is HTML, not JSON."),
    ("maintenance.html", 500, "The feed answered 500 Internal Server Error."),
    ("maintenance.html", 404, "The feed answered 404 Not Found."),
    ("greenhouse.json", 200, "The answer is no Remote OK answer"),
]


def test_a_bad_answer_is_told_and_loses_nothing(
    fetch: Fetch, feed: Feed, ada: Person, subtests: pytest.Subtests
) -> None:
    fetch()
    for done, (name, status, said) in enumerate(MISBEHAVIOUR, start=1):
        with subtests.test(f"{name} {status}"):
            feed.answers_with(sample(name), status)
            ill = fetch()

            assert ill["status"] == "failing"
            assert ill["lastError"].startswith(said)
            assert (ill["failures"], ill["runs"], ill["createdCount"]) == (1, done, 6)
            assert ill["nextAttemptAt"] > ill["lastErrorAt"]
            assert len(found(ada)) == 6

            feed.answers_with(sample("remoteok.json"))
            mended = fetch()

            assert (mended["status"], mended["failures"], mended["nextAttemptAt"]) == ("ok", 0, None)
            assert mended["lastError"] == ill["lastError"]


def test_the_plugin_says_which_feed_is_ill(fetch: Fetch, feed: Feed, admin: Person) -> None:
    feed.answers_with(b"", 500)
    fetch()
    health = (admin.get("/plugins/job_boards").json or {})["health"]

    assert health["status"] == "degraded"
    assert health["failing"] == {"remoteok": "The feed answered 500 Internal Server Error."}


def test_an_answer_cut_off_or_without_end_or_elsewhere_is_told(fetch: Fetch, feed: Feed, ada: Person) -> None:
    feed.answers_with(sample("remoteok.json"), Content_Length="100000")
    assert fetch()["lastError"].startswith("The feed could not be fetched: ")

    feed.answers_with(b"[" + b" " * 10_000_001 + b"]")
    assert fetch()["lastError"] == "The feed could not be fetched: the answer is larger than 10000000 bytes."

    feed.answers_with(b"", 302, Location=f"{feed.url}/elsewhere")
    assert "302" in fetch()["lastError"]
    assert {path for path, _ in feed.asked} == {"/api"}
    assert found(ada) == []


def test_an_address_inside_is_refused_unless_the_operator_permits_it(instance: Instance, feed: Feed) -> None:
    instance.environ["JOBSTEAD_OUTGOING__ALLOW_HTTP"] = "true"
    instance.plugins(job_boards={"remoteok": {"url": f"{feed.url}/api"}})
    admin = instance.person("admin@example.org", role="admin")
    admin.post("/admin/job-sources/remoteok/run")
    instance.drain()

    assert "not on the public internet" in health(admin)["lastError"]
    assert feed.asked == []


@pytest.mark.parametrize("as_date", [False, True], ids=["seconds", "date"])
def test_retry_after_is_kept_to(boards: Instance, feed: Feed, admin: Person, as_date: bool) -> None:
    begun = datetime(2026, 3, 1, 12, tzinfo=UTC)
    wanted = format_datetime(begun + timedelta(seconds=900), usegmt=True) if as_date else "900"
    feed.answers_with(b"slow down", 429, Retry_After=wanted)
    with time_machine.travel(begun, tick=False) as clock:
        assert boards.app
        admin.sign_in()
        admin.post("/admin/job-sources/remoteok/run")
        boards.drain()
        ill = health(admin)
        assert ill["lastError"] == "The feed answered 429: it was asked too often."
        assert ill["nextAttemptAt"] == "2026-03-01T12:15:00Z"
        assert len(feed.asked) == 1

        feed.answers_with(sample("remoteok.json"))
        clock.shift(timedelta(seconds=890))
        boards.drain()
        assert len(feed.asked) == 1

        clock.shift(timedelta(seconds=11))
        boards.drain()
        assert len(feed.asked) == 2
        assert health(admin)["status"] == "ok"


def test_a_scheduled_fetch_that_fails_is_tried_again_by_itself(
    boards: Instance, feed: Feed, admin: Person
) -> None:
    begun = datetime(2026, 3, 1, 12, tzinfo=UTC)
    feed.answers_with(b"", 503)
    with time_machine.travel(begun, tick=False) as clock:
        admin.sign_in()
        run_fetch(boards)
        run_fetch(boards)
        clock.shift(timedelta(seconds=59))
        boards.drain()
        assert len(feed.asked) == 1
        clock.shift(timedelta(seconds=2))
        boards.drain()
        assert len(feed.asked) == 2
        assert health(admin)["failures"] == 2


def test_pauses_double_while_a_feed_stays_ill(fetch: Fetch, feed: Feed) -> None:
    feed.answers_with(b"", 500)
    pauses = []
    for _ in range(3):
        ill = fetch()
        pauses.append(
            datetime.fromisoformat(ill["nextAttemptAt"]) - datetime.fromisoformat(ill["lastErrorAt"])
        )

    assert [pause.total_seconds() for pause in pauses] == [60, 120, 240]


def test_an_unchanged_feed_is_asked_whether_it_changed(fetch: Fetch, feed: Feed, ada: Person) -> None:
    feed.answers_with(sample("remoteok.json"), ETag='"v1"', Last_Modified="Mon, 05 Jan 2026 10:00:00 GMT")
    fetch()
    again = fetch()

    assert feed.asked[0][1].get("if-none-match") is None
    assert feed.asked[1][1]["if-none-match"] == '"v1"'
    assert feed.asked[1][1]["if-modified-since"] == "Mon, 05 Jan 2026 10:00:00 GMT"
    assert (again["status"], again["runs"], again["createdCount"]) == ("ok", 2, 6)
    assert len(found(ada)) == 6


def test_records_without_title_are_skipped_and_counted(fetch: Fetch, feed: Feed, ada: Person) -> None:
    feed.answers_with(sample("remoteok_missing_titles.json"))
    after = fetch()

    assert (after["status"], after["createdCount"], after["skippedCount"]) == ("ok", 2, 7)
    assert sorted(found(ada)) == ["Beekeeper", "Gardener"]


def test_the_schedule_asks_each_due_feed_once_an_hour(boards: Instance, feed: Feed, admin: Person) -> None:
    begun = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    with time_machine.travel(begun, tick=False) as clock:
        run_fetch(boards)
        run_fetch(boards)
        assert len(feed.asked) == 1
        clock.shift(timedelta(hours=1))
        run_fetch(boards)
        assert len(feed.asked) == 2


def run_fetch(boards: Instance) -> None:
    """What the schedule does."""
    from core.api import begin, enqueue

    with boards.app.app_context():
        with begin():
            enqueue("job_boards.fetch", {})
        boards.drain()
