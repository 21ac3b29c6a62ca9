"""What every answer carries, and the line that each request leaves in the log."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from core.db import Database
from tests.web.conftest import Shelf, add, make_app


def test_data_may_not_be_run_framed_sniffed_or_kept(here: FlaskClient) -> None:
    for path in ("/api/v1/books", "/nowhere", "/api/v1/misc/refuse/500", "/health"):
        headers = here.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers
        assert "Access-Control-Allow-Origin" not in headers
        assert "Set-Cookie" not in headers


def test_https_is_remembered_where_it_is_how_people_come(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    app = make_app(database, tmp_path, PUBLIC_URL="https://jobs.example.org")
    assert "max-age=31536000" in app.test_client().get("/health").headers["Strict-Transport-Security"]
    database.dispose()


def test_a_request_keeps_a_sound_id_and_gets_one_otherwise(here: FlaskClient) -> None:
    assert here.get("/health", headers={"X-Request-Id": "abc-DEF_12"}).headers["X-Request-Id"] == "abc-DEF_12"
    seen = set()
    for bad in ("short", "x" * 65, "with space", "ünicode-id", "new;line-id"):
        given = here.get("/health", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert given != bad
        seen.add(given)
    assert len(seen) == 5


def test_each_request_leaves_one_line(here: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="jobstead.access"):
        here.get("/api/v1/books?title=private")
        here.post("/api/v1/books/then/raise")
        here.get("/nowhere")
    lines = [record for record in caplog.records if record.name == "jobstead.access"]
    assert len(lines) == 3
    told = [str(vars(line)) for line in lines]
    assert all("private" not in line for line in told)
    assert "books.index" in told[0]
    assert "500" in told[1]
    assert "404" in told[2]


def test_what_proxies_say_is_believed_only_where_there_are_some(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    claim = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
    for proxies, address in (("0", "127.0.0.1"), ("1", "198.51.100.7")):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="jobstead.access"):
            make_app(database, tmp_path, TRUSTED_PROXIES=proxies).test_client().get("/health", headers=claim)
        assert any(f"'{address}'" in str(vars(record)) for record in caplog.records)
    database.dispose()


def test_threads_never_see_each_others_caller(
    shelf_app: Shelf, here: FlaskClient, there: FlaskClient
) -> None:
    mine, theirs = add(here, "mine")["id"], add(there, "theirs")["id"]

    def ask(number: int) -> list[int]:
        client = shelf_app.client(("here", "there")[number % 2])
        return [client.get(f"/api/v1/books/{book}").status_code for book in (mine, theirs)]

    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(ask, range(200)))
    assert answers == [[200, 404], [404, 200]] * 100


def test_probes_answered_well_are_no_news(here: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="jobstead.access"):
        here.get("/health")
        assert not caplog.records
        here.get("/nowhere")
        assert len(caplog.records) == 1
