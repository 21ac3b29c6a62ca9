"""Whatever is killed in the middle of the walk comes back, and no fact is lost or told twice."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from tests.e2e.instance import Instance, feed_server, wait_for

POSTINGS = 300


@pytest.fixture
def feeds(tmp_path: Path):  # type: ignore[no-untyped-def]
    """A feed long enough to be in the middle of it."""
    entries: list[dict[str, object]] = [{"legal": "Link back.", "last_updated": 1}]
    for number in range(POSTINGS):
        entries.append(
            {
                "id": str(number),
                "slug": f"job-{number}",
                "epoch": 1_790_000_000 + number,
                "date": "2026-10-01T12:00:00+00:00",
                "company": f"Company {number % 7}",
                "position": f"Engineer {number}",
                "tags": ["python"],
                "description": "<p>Work.</p>",
                "location": "Worldwide",
                "salary_min": 0,
                "salary_max": 0,
                "apply_url": f"https://jobs.example.org/{number}/apply",
                "url": f"https://jobs.example.org/{number}",
            }
        )
    (tmp_path / "remoteok.json").write_text(json.dumps(entries))
    with feed_server(tmp_path) as url:
        yield url


@pytest.mark.parametrize("victim", ["core.cli worker", "gunicorn", "redis-server"])
def test_a_killed_process_comes_back_and_nothing_is_lost(instance: Instance, victim: str) -> None:
    if victim == "redis-server" and not instance.children(victim):
        pytest.skip("this instance runs no Redis of its own")
    ada = instance.register("ada@example.org")
    admin = instance.admin()
    instance.switch_on(admin, "job_boards")
    assert (
        ada.post("/job-alerts", json={"name": "Python", "filters": {"query": "engineer"}}).status_code == 201
    )
    assert admin.post("/admin/job-sources/remoteok/run").status_code == 202

    victims = instance.children(victim)
    assert victims
    os.kill(victims[0], signal.SIGKILL)
    wait_for("its successor", lambda: [pid for pid in instance.children(victim) if pid not in victims])
    wait_for("the instance to serve", instance._ready)

    def told() -> list[str]:
        return [item["title"] for item in ada.get("/notifications").raise_for_status().json()["items"]]

    wait_for("the notification", told)
    assert ada.get("/job-postings/search").json()["total"] == POSTINGS
    assert told() == [f"{POSTINGS} new matches for Python"]
