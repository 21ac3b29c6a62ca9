"""Sources: whom to thank, who may see their troubles, and providers of other plugins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.testing import Instance, Person

from .conftest import Feed, found

Fetch = Callable[..., dict[str, Any]]


def test_everybody_sees_whom_to_thank_and_admins_the_rest(
    fetch: Fetch, feed: Feed, ada: Person, admin: Person
) -> None:
    new = (ada.get("/job-sources").json or {})["items"]
    assert new == [
        {
            "id": "remoteok",
            "provider": "remoteok",
            "label": "Remote OK",
            "home": "https://remoteok.com",
            "attribution": "Remote OK",
            "status": "new",
            "lastOkAt": None,
        }
    ]
    feed.answers_with(b"", 500)
    fetch()
    assert (ada.get("/job-sources").json or {})["items"][0]["status"] == "failing"
    whole = (admin.get("/admin/job-sources").json or {})["items"][0]
    assert whole["url"] == f"{feed.url}/api"
    assert whole["lastError"]


def test_only_admins_may_look_behind_or_start_a_fetch(ada: Person, admin: Person, feed: Feed) -> None:
    for method, path in [
        ("GET", "/admin/job-sources"),
        ("GET", "/admin/job-sources/remoteok"),
        ("POST", "/admin/job-sources/remoteok/run"),
    ]:
        assert ada.call(method, path).status_code == 403
        assert ada.instance.app.test_client().open(f"/api/v1{path}", method=method).status_code == 401
    assert admin.get("/admin/job-sources/nobody").status_code == 404
    assert admin.post("/admin/job-sources/nobody/run").status_code == 404
    ada.instance.drain()
    assert feed.asked == []


def test_a_board_is_a_source_of_its_own(instance: Instance, feed: Feed) -> None:
    greenhouse = {"url": feed.url, "boards": ["acme", "tide_water"]}
    instance.plugins(job_boards={"greenhouse": greenhouse, "remoteok": {"enabled": False}})
    admin = instance.person("admin@example.org", role="admin")
    items = (admin.get("/admin/job-sources").json or {})["items"]

    assert [(item["id"], item["label"]) for item in items] == [
        ("greenhouse-acme", "Greenhouse: acme"),
        ("greenhouse-tide_water", "Greenhouse: tide_water"),
    ]
    assert items[0]["url"] == f"{feed.url}/acme/jobs?content=true"


OUTSIDER = """
from core.api import hookimpl
from plugins.job_boards.api import Advert, Feed, Provider, read_each, read_json, text


def read(body, feed):
    def advert(job):
        return Advert(text(job.get("n")), job["what"], "Acme", job["at"])

    return read_each(read_json(body)["adverts"], advert)


@hookimpl
def job_sources():
    return [
        Provider("acme", "Acme", "https://acme.example", "Jobs by Acme", read, (Feed("URL", "main"),)),
        Provider("remoteok", "Not the real one", "https://acme.example", "", read),
        "no provider",
    ]
"""


def test_an_outsiders_provider_comes_in_by_the_same_hook(
    boards: Instance, feed: Feed, tmp_path: Path
) -> None:
    folder = tmp_path / "acme_jobs"
    folder.mkdir()
    (folder / "plugin.toml").write_text(
        'name = "acme_jobs"\nversion = "1"\napi = ">=1,<2"\nsummary = "Acme."\nrequires = ["job_boards"]\n'
    )
    (folder / "__init__.py").write_text(OUTSIDER.replace("URL", f"{feed.url}/acme"))
    boards.path.append(folder)
    boards.plugins("acme_jobs")
    feed.answers_with(
        b'{"adverts": [{"n": 1, "what": "Anvil Tester", "at": "https://acme.example/1"}, {"n": 2}]}'
    )
    admin = boards.person("admin@example.org", role="admin")
    assert admin.post("/admin/job-sources/acme-main/run").status_code == 202
    boards.drain()

    assert found(admin, source="acme") == ["Anvil Tester"]
    sources = {item["id"]: item for item in (admin.get("/admin/job-sources").json or {})["items"]}
    assert set(sources) == {"acme-main", "remoteok"}
    assert sources["remoteok"]["label"] == "Remote OK"
    assert (sources["acme-main"]["createdCount"], sources["acme-main"]["skippedCount"]) == (1, 1)
