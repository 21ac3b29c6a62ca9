"""Lists: every row once and in order, whatever the page size; a query that makes no sense is told."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import add
from tests.web.test_errors import fields_of, problem

LIST = "/api/v1/books"


def walk(client: FlaskClient, limit: int, path: str = LIST, **query: Any) -> list[dict[str, Any]]:
    """All pages of a list, one after the other."""
    found: list[dict[str, Any]] = []
    cursor = None
    for _ in range(100):
        more = {"cursor": cursor} if cursor else {}
        page = client.get(path, query_string={"limit": limit, **query, **more}).get_json()
        assert 0 < len(page["items"]) <= limit
        found += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


@pytest.fixture
def filled(here: FlaskClient, there: FlaskClient) -> FlaskClient:
    for number in range(11):
        add(here, f"{'abc'[number % 3]}{number:02}", pages=number % 4)
        add(there, f"foreign {number}", pages=number % 4)
    return here


@pytest.mark.parametrize("path", [LIST, f"{LIST}/whole"])
def test_pages_hold_every_row_once_and_in_order(filled: FlaskClient, path: str) -> None:
    for sort in ("title", "-title", "pages", "-pages", "pages,-title", "-pages,title", "createdAt"):
        for limit in (1, 2, 5, 11, 100):
            found = walk(filled, limit, path, sort=sort)
            expected = sorted(found, key=lambda book: book["id"], reverse=sort.split(",")[-1].startswith("-"))
            for key in reversed(sort.split(",")):
                name = key.lstrip("-")
                expected.sort(key=lambda book, name=name: book[name], reverse=key.startswith("-"))  # type: ignore[misc]
            assert [book["title"] for book in found] == [book["title"] for book in expected]
            assert len({book["id"] for book in found}) == 11
            assert not any("foreign" in book["title"] for book in found)


def test_newest_comes_first_and_twenty_unless_said(filled: FlaskClient) -> None:
    for number in range(15):
        add(filled, f"more {number}")
    page = filled.get(LIST).get_json()
    assert [book["title"] for book in page["items"][:2]] == ["more 14", "more 13"]
    assert len(page["items"]) == 20


def test_a_row_that_comes_meanwhile_shifts_nothing(filled: FlaskClient) -> None:
    first = filled.get(LIST, query_string={"limit": 4}).get_json()
    add(filled, "just now")
    second = filled.get(LIST, query_string={"limit": 4, "cursor": first["nextCursor"]}).get_json()
    assert not {book["id"] for book in first["items"]} & {book["id"] for book in second["items"]}
    assert "just now" not in {book["title"] for book in second["items"]}


def test_a_cursor_of_another_organisation_opens_nothing(filled: FlaskClient, there: FlaskClient) -> None:
    cursor = filled.get(LIST, query_string={"limit": 4, "sort": "title"}).get_json()["nextCursor"]
    page = there.get(LIST, query_string={"cursor": cursor, "sort": "title"}).get_json()
    assert {book["title"][:7] for book in page["items"]} == {"foreign"}


def crafted(*values: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


ID = "01a1fe2f-6abf-7316-9c35-d22aab77a4ba"


NONSENSE = [
    "x",
    "é",
    "====",
    crafted(),
    crafted("title"),
    crafted("title", 5, ID),
    crafted("title", "a\0", ID),
    crafted("title", "a", "no id"),
    crafted("title", "a", ID, 1),
    crafted("title", None, ID),
    crafted("title", ["a"], ID),
    crafted("-title", "a", ID),
    base64.urlsafe_b64encode(b"5").decode(),
    base64.urlsafe_b64encode(b"[" * 2000).decode(),
]


def test_a_made_up_cursor_is_told(here: FlaskClient) -> None:
    for cursor in NONSENSE:
        assert fields_of(here.get(LIST, query_string={"sort": "title", "cursor": cursor})) == {"cursor"}


def test_made_up_numbers_and_times_in_a_cursor_are_told(here: FlaskClient) -> None:
    for sort, value in (
        ("pages", 2**70),
        ("pages", True),
        ("pages", 1.5),
        ("-createdAt", "2026-01-01T00:00:00"),
    ):
        answer = here.get(LIST, query_string={"sort": sort, "cursor": crafted(sort, value, ID)})
        problem(answer, 422, "invalid")


def test_a_limit_out_of_bounds_is_told(here: FlaskClient) -> None:
    for limit in ("0", "101", "-1", "x", "1.5", "٣", "99999999999", " 5"):
        assert fields_of(here.get(LIST, query_string={"limit": limit})) == {"limit"}


def test_an_undeclared_order_is_told(here: FlaskClient) -> None:
    for sort in ("weight", "organisationId", "title,title", "title,-title", ",", "title;drop", "--x"):
        assert fields_of(here.get(LIST, query_string={"sort": sort})) == {"sort"}


def test_an_unknown_parameter_is_told(here: FlaskClient) -> None:
    answer = here.get(LIST, query_string={"colour": "red"})
    assert problem(answer, 422, "invalid")["errors"] == {"colour": ["Unknown field."]}
    answer = here.get("/api/v1/misc/words", query_string={"colour": "red"})
    assert problem(answer, 422, "invalid")["errors"] == {"colour": ["Unknown field."]}


def test_a_list_that_cannot_be_paged_is_its_authors_fault(here: FlaskClient) -> None:
    for kind in ("sort", "ordered", "columns", "list"):
        problem(here.get(f"/api/v1/misc/bad/{kind}"), 500, "internal")
