"""Whatever goes wrong is told as a problem, and never more than the caller may know."""

from __future__ import annotations

import json
import logging
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from redis.exceptions import ConnectionError as RedisDown
from sqlalchemy import event, text
from werkzeug.test import TestResponse

from core.db import Database
from core.host.environment import engine_for
from core.web.errors import invalid
from tests.web.conftest import Shelf, add, make_app


def problem(answer: TestResponse, status: int, code: str) -> dict[str, object]:
    """The body of an answer that must be such a problem."""
    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    body: dict[str, object] = json.loads(answer.data)
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"] == f"urn:jobstead:problem:{code}"
    assert body["title"]
    assert body["requestId"] == answer.headers["X-Request-Id"]
    return body


def fields_of(answer: TestResponse) -> set[str]:
    """The fields that a 422 complains of."""
    errors = problem(answer, 422, "invalid")["errors"]
    assert isinstance(errors, dict)
    return set(errors)


def test_a_problem_keeps_its_headers_and_words(here: FlaskClient) -> None:
    answer = here.get("/api/v1/misc/refuse/429")
    assert problem(answer, 429, "because")["detail"] == "Because."
    assert answer.headers["Retry-After"] == "7"
    conflict = here.post("/api/v1/books/then/problem")
    problem(conflict, 409, "conflict")
    assert conflict.headers["X-Reason"] == "mood"


def test_no_such_route_and_no_such_method(here: FlaskClient) -> None:
    problem(here.get("/nowhere"), 404, "not_found")
    answer = here.delete("/api/v1/books")
    problem(answer, 405, "method_not_allowed")
    assert set(answer.allow) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_every_wrong_field_is_named_as_the_caller_wrote_it(here: FlaskClient) -> None:
    answer = here.post(
        "/api/v1/books",
        json={
            "title": "",
            "readAt": "yesterday",
            "pageMarks": [{"pageNo": 1}, {"pageNo": "x", "more": 1}],
            "tags": ["ok", 5],
            "color": "red",
        },
    )
    errors = problem(answer, 422, "invalid")["errors"]
    assert isinstance(errors, dict)
    assert set(errors) == {"title", "readAt", "pageMarks.1.pageNo", "pageMarks.1.more", "tags.1", "color"}
    assert errors["color"] == ["Unknown field."]


def test_what_a_schema_says_as_a_whole_is_named_too(here: FlaskClient) -> None:
    first = problem(here.post("/api/v1/books", json={"title": "x", "pages": 13}), 422, "invalid")
    assert first["errors"] == {"readAt": ["Not thirteen."]}
    second = problem(here.post("/api/v1/books", json={"title": "x", "pages": 14}), 422, "invalid")
    assert second["errors"] == {"*": ["Not fourteen."]}
    third = problem(here.post("/api/v1/books", json=[1]), 422, "invalid")
    assert third["errors"] == {"*": ["Invalid input type."]}


def test_malformed_json_is_told(here: FlaskClient) -> None:
    for body in (b"", b"{", b"\xff\xfe", b"nan", b'{"title": "\\ud800"}', b"{'title': 1}"):
        problem(here.post("/api/v1/books", data=body, content_type="application/json"), 400, "malformed_json")


def test_another_content_type_is_told(here: FlaskClient) -> None:
    problem(here.post("/api/v1/books", data={"title": "x"}), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/api/v1/books", "/api/v1/misc/echo"])
def test_json_that_is_nested_too_deep(here: FlaskClient, path: str) -> None:
    for start, end in (("[", "]"), ('{"a":', "}")):
        for depth in (65, 1_023, 1_025, 50_000):
            body = start * depth + "1" + end * depth
            problem(here.post(path, data=body, content_type="application/json"), 413, "too_deep")


def test_json_as_deep_and_as_broad_as_allowed_is_read(here: FlaskClient) -> None:
    deep = "[" * 64 + "]" * 64
    broad = "[" + ",".join(["[]"] * 500) + "]"
    for body in (deep, broad):
        assert here.post("/api/v1/misc/echo", data=body, content_type="application/json").status_code == 200


def test_a_body_that_is_too_large_is_refused_with_and_without_a_length(here: FlaskClient) -> None:
    large = b'{"title": "' + b"x" * 1_100_000 + b'"}'
    problem(here.post("/api/v1/books", data=large, content_type="application/json"), 413, "too_large")
    chunked = here.post(
        "/api/v1/books",
        input_stream=BytesIO(large),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True},
    )
    problem(chunked, 413, "too_large")
    assert here.post("/api/v1/misc/echo", data=large, content_type="application/json").status_code == 200


def test_what_no_column_can_hold_is_an_error_of_its_field(here: FlaskClient) -> None:
    for field, value in (("title", "a\0b"), ("pages", 2**63), ("tags", ["\0"])):
        answer = here.post("/api/v1/books", json={"title": "x", field: value})
        assert [name.split(".")[0] for name in fields_of(answer)] == [field]


def test_a_time_without_a_place_in_utc_is_an_error_of_its_field(here: FlaskClient) -> None:
    early, late = "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"
    for moment in ("2026-01-01T00:00:00", early, late, "2026-01-01", 5, {}, "", "Z"):
        answer = here.post("/api/v1/books", json={"title": "x", "readAt": moment})
        assert fields_of(answer) == {"readAt"}


def test_what_is_already_there_conflicts_and_is_not_quoted(here: FlaskClient, there: FlaskClient) -> None:
    add(here, "Emma")
    answer = here.post("/api/v1/books", json={"title": "Emma"})
    assert "webtest" not in str(problem(answer, 409, "conflict"))
    add(there, "Emma")


def test_a_fault_of_ours_shows_nothing_and_is_logged_whole(
    here: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = here.post("/api/v1/books/then/raise", headers={"X-Request-Id": "my-request-1"})
    body = problem(answer, 500, "internal")
    assert body["requestId"] == "my-request-1"
    assert "hush" not in answer.text
    assert "Traceback" not in answer.text
    assert any(record.exc_info and "hush-hush" in str(record.exc_info[1]) for record in caplog.records)


def test_a_database_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'gone' / 'x.sqlite3'}")
    (tmp_path / "gone").rmdir()
    client = make_app(gone, tmp_path).test_client()
    answer = client.get("/api/v1/misc/words")
    problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "2"
    assert client.get("/health").status_code == 200
    gone.dispose()


def test_a_server_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    gone = Database("postgresql+psycopg://nobody:secret@127.0.0.1:1/none")
    answer = make_app(gone, tmp_path).test_client().get("/api/v1/misc/words")
    problem(answer, 503, "unavailable")
    assert "127.0.0.1" not in answer.text
    gone.dispose()


def test_a_full_disk_takes_no_writes_and_still_reads(shelf_app: Shelf, here: FlaskClient) -> None:
    database = shelf_app.world.database
    if database.dialect != "sqlite":
        pytest.skip("a full disk is simulated by SQLite's max_page_count")
    add(here, "Emma")
    database.dispose()

    @event.listens_for(database.engine, "connect")
    def fill(connection: object, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

    answer = here.post("/api/v1/books", json={"title": "x" * 200, "tags": ["y" * 60_000]})
    problem(answer, 507, "storage_full")
    assert len(here.get("/api/v1/books").get_json()["items"]) == 1


def test_a_statement_that_is_wrong_is_our_fault_not_the_databases(
    shelf_app: Shelf, here: FlaskClient
) -> None:
    with engine_for(shelf_app.world.database.url.render_as_string(hide_password=False)).begin() as owner:
        owner.execute(text("DROP TABLE webtest_word"))
    if shelf_app.world.database.dialect == "sqlite":
        problem(here.get("/api/v1/misc/words"), 500, "internal")


def test_redis_that_is_away_where_a_route_needs_it(shelf_app: Shelf, here: FlaskClient) -> None:
    def away(_view: object) -> None:
        raise RedisDown("refused")

    shelf_app.app.extensions["jobstead.web"].gates = (away,)
    problem(here.get("/api/v1/books"), 503, "unavailable")


def test_field_errors_in_any_form_become_paths() -> None:
    from marshmallow import ValidationError

    nested = ValidationError({"a": {"b": ["x"], 0: {"c": "y"}}, "_schema": ["z"], "d": {"_schema": ["w"]}})
    assert invalid(nested).errors == {"a.b": ["x"], "a.0.c": ["y"], "*": ["z"], "d": ["w"]}
