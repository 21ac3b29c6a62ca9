"""Health without I/O, readiness from checks, details for those entitled."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import event

from core.db import Database
from core.web import add_check, add_fact, add_probe, drain, health
from tests.web.conftest import Shelf, make_app


def test_health_looks_at_nothing(shelf_app: Shelf) -> None:
    statements: list[str] = []
    event.listen(shelf_app.world.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    client = shelf_app.client(None, None)
    assert client.get("/health").get_json() == client.get("/livez").get_json() == {"status": "ok"}
    assert statements == []


def test_ready_is_asked_of_the_checks_only_now_and_then(
    shelf_app: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    add_check(shelf_app.app, "counting", lambda: asked.append(1))
    client = shelf_app.client(None, None)
    monkeypatch.setattr(health, "_FRESH_FOR", 3600.0)
    for _ in range(5):
        assert client.get("/readyz").get_json() == {"status": "ready"}
    assert len(asked) == 1
    monkeypatch.setattr(health, "_FRESH_FOR", 0.0)
    client.get("/readyz")
    assert len(asked) == 2


def test_what_fails_is_named_to_all_and_explained_to_some(shelf_app: Shelf) -> None:
    def broken() -> None:
        raise RuntimeError("the disk at /secret is on fire")

    add_check(shelf_app.app, "disk", broken)
    told = shelf_app.client(None, None).get("/readyz")
    assert (told.status_code, told.headers["Retry-After"]) == (503, "2")
    assert told.get_json() == {"status": "unavailable", "failing": ["disk"]}
    explained = shelf_app.client(None, "admin").get("/readyz").get_json()
    assert explained["reasons"] == {"disk": "RuntimeError: the disk at /secret is on fire"}


def test_a_process_about_to_stop_is_not_ready_and_still_healthy(shelf_app: Shelf, here: FlaskClient) -> None:
    drain(shelf_app.app)
    assert here.get("/readyz").status_code == 503
    assert here.get("/health").status_code == 200


def test_no_database_is_not_ready(tmp_path: Path) -> None:
    gone = Database("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    client = make_app(gone, tmp_path).test_client()
    assert client.get("/readyz").get_json()["failing"] == ["database"]
    gone.dispose()


@pytest.mark.parametrize("path", ["/health/detailed", "/health/database", "/health/redis"])
def test_details_are_for_those_entitled(shelf_app: Shelf, path: str) -> None:
    assert shelf_app.client(None, None).get(path).status_code == 401
    assert shelf_app.client("here", "user").get(path).status_code == 403
    assert shelf_app.client(None, "admin").get(path).get_json()["status"] == "ok"


def test_details_hold_every_part_and_the_worst_of_them(shelf_app: Shelf) -> None:
    def broken() -> dict[str, object]:
        raise RuntimeError("no answer")

    admin = shelf_app.client(None, "admin")
    add_probe(shelf_app.app, "slow", lambda: {"status": "degraded"})
    assert admin.get("/health/detailed").get_json()["status"] == "degraded"
    add_probe(shelf_app.app, "broken", broken)
    told = admin.get("/health/detailed").get_json()
    assert told["status"] == "down"
    assert told["broken"] == {"status": "down", "error": "RuntimeError: no answer"}
    assert told["database"]["dialect"] == shelf_app.world.database.dialect
    assert told["redis"]["mode"] == "direct"


def test_redis_that_does_not_answer_degrades(shelf_app: Shelf) -> None:
    client = Redis(port=1, retry=Retry(NoBackoff(), 0))
    shelf_app.app.extensions["jobstead.redis"] = client
    told = shelf_app.client(None, "admin").get("/health/redis").get_json()
    assert (told["status"], told["mode"], told["managed"]) == ("degraded", "direct", False)
    client.close()


def test_meta_tells_what_serves_whom(shelf_app: Shelf) -> None:
    shelf_app.overrides[shelf_app.world.there] = {"webtest": False}
    add_fact(shelf_app.app, "signIn", lambda: ["password"])
    told = shelf_app.client(None, None).get("/api/v1/meta").get_json()
    assert told["plugins"] == [{"id": "webmisc"}, {"id": "webtest"}]
    assert told["signIn"] == ["password"]
    assert told["version"]
    assert shelf_app.client("there").get("/api/v1/meta").get_json()["plugins"] == [{"id": "webmisc"}]
