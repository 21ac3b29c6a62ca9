"""Storing under pressure: two at once, cut off in the middle, and what the documents promise."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

from core.testing import Instance, Person
from plugins.job_boards.api import Advert, Feed, Provider
from plugins.job_boards.config import ConfigSchema
from plugins.job_boards.ingest import Result, ingest
from plugins.job_boards.providers import remoteok

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_two_runs_at_once_store_each_posting_once(boards: Instance, ada: Person) -> None:
    adverts = [Advert(str(n), f"Job {n}", "Acme", f"https://acme.example/{n}") for n in range(250)]
    app, provider, start = boards.app, remoteok.provider(), Barrier(2)
    results: list[Result] = []

    def run() -> None:
        with app.app_context():
            start.wait()
            results.append(ingest(provider, "remoteok", adverts))

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(result.created for result in results) == 250
    assert sum(result.unchanged for result in results) == 250
    assert (ada.get("/job-postings/search").json or {})["total"] == 250


def test_an_answer_with_too_many_records_is_cut_and_says_so(boards: Instance, monkeypatch: Any) -> None:
    monkeypatch.setattr("plugins.job_boards.ingest.MOST", 3)
    adverts = [Advert(str(n), f"Job {n}", "Acme", f"https://acme.example/{n}") for n in range(5)]
    with boards.app.app_context():
        result = ingest(remoteok.provider(), "remoteok", adverts)

    assert (result.created, result.skipped) == (3, 1)
    assert result.skipped_records[0]["reason"] == "everything after the first 3 records"


def test_the_readmes_settings_are_settings() -> None:
    block = re.search(r"```toml\n(.*?)```", README, re.DOTALL)
    assert block is not None
    told = tomllib.loads(block[1])["plugins"]["job_boards"]
    assert told.pop("enabled") is True
    settings = ConfigSchema().load(told)

    assert settings["greenhouse"]["boards"] == ["acme", "example"]
    assert settings["remoteok"] == ConfigSchema().load({})["remoteok"]


def test_the_readmes_provider_provides() -> None:
    block = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert block is not None
    there: dict[str, Any] = {}
    exec(compile(block[1], "README.md", "exec"), there)
    (provider,) = there["job_sources"]()

    assert isinstance(provider, Provider)
    body = json.dumps({"jobs": [{"id": 7, "title": "Cook", "url": "https://acme.example/7"}]}).encode()
    (advert,) = provider.read(body, Feed(""))
    assert advert == Advert("7", "Cook", "Acme", "https://acme.example/7")


def test_the_routes_are_described(boards: Instance) -> None:
    described = boards.app.test_client().get("/openapi.json").json or {}
    search = described["paths"]["/api/v1/job-postings/search"]["get"]

    names = {parameter["name"] for parameter in search["parameters"]}
    assert {"query", "location", "type", "remote", "salaryMin", "salaryMax", "postedWithin"} <= names
    assert "/api/v1/job-alerts/{id}/preview" in described["paths"]
