"""The walk of a newcomer, over HTTP against the real processes, with nothing stubbed."""

from __future__ import annotations

import json
import stat

import httpx

from tests.e2e.instance import SAMPLES, Instance, wait_for


def notifications(person: httpx.Client) -> list[dict[str, object]]:
    items: list[dict[str, object]] = person.get("/notifications").raise_for_status().json()["items"]
    return items


def test_a_fact_travels_the_whole_way(instance: Instance) -> None:
    ada = instance.register("ada@example.org")
    me = ada.get("/auth/me").raise_for_status().json()
    assert me["email"] == "ada@example.org"
    assert ada.get("/job-alerts").status_code == 404  # nobody switched job_boards on yet

    admin = instance.admin()
    assert {p["id"]: p["state"] for p in admin.get("/plugins").json()["items"]}["job_boards"] != "active"
    instance.switch_on(admin, "job_boards")

    alert = ada.post("/job-alerts", json={"name": "Everything", "filters": {}})
    assert alert.status_code == 201, alert.text
    bob = instance.register("bob@example.org")

    assert admin.post("/admin/job-sources/remoteok/run").status_code == 202
    expected = sum(
        "id" in entry and bool(entry.get("position"))
        for entry in json.loads((SAMPLES / "remoteok.json").read_text())
    )
    told = wait_for("the notification", lambda: notifications(ada))
    assert [item["title"] for item in told] == [f"{expected} new matches for Everything"]

    found = ada.get("/job-postings/search", params={"limit": 100}).raise_for_status().json()
    assert found["total"] == expected
    assert {item["source"] for item in found["items"]} == {"remoteok"}
    assert notifications(bob) == []
    assert bob.get("/job-alerts").json()["items"] == []
    assert bob.get(f"/job-alerts/{alert.json()['id']}").status_code in (404, 405)

    # the same feed again brings nothing new, and tells nobody
    assert admin.post("/admin/job-sources/remoteok/run").status_code == 202
    wait_for("the second ingest", lambda: _ingests(admin) >= 2)
    assert ada.get("/job-postings/search").json()["total"] == expected
    assert len(notifications(ada)) == 1


def _ingests(admin: httpx.Client) -> int:
    sources = admin.get("/admin/job-sources").raise_for_status().json()["items"]
    count: int = next(source for source in sources if source["id"] == "remoteok")["runs"]
    return count


def test_codes_stay_out_of_the_log_and_mails_are_private(instance: Instance) -> None:
    instance.register("ada@example.org")
    mails = list((instance.data / "mail").glob("*.eml"))
    assert mails
    assert all(stat.S_IMODE(mail.stat().st_mode) == 0o600 for mail in mails)
    code = instance.code_for("ada@example.org")
    assert code is not None
    log = instance.log.read_text()
    assert any(mail.name in log for mail in mails)
    assert code not in log


def test_a_second_start_has_all_data(data, environment) -> None:  # type: ignore[no-untyped-def]
    with Instance(data, environment) as first:
        first.register("ada@example.org")
    with Instance(data, environment) as second:
        ada = second.sign_in("ada@example.org", "a quiet library")
        assert ada.get("/auth/me").json()["email"] == "ada@example.org"
