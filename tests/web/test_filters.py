"""Declared filters narrow a list, on both paths alike."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import add
from tests.web.test_errors import fields_of


@pytest.fixture
def filled(here: FlaskClient, there: FlaskClient) -> FlaskClient:
    for client in (here, there):
        add(client, "Emma", pages=400, readAt="2026-01-01T00:00:00Z")
        add(client, "50% off", pages=10)
        add(client, "50 offers", pages=20)
        add(client, "War_and Peace", pages=1200)
        add(client, "a/b", pages=30)
    return here


FOUND = {
    "title=Emma": {"Emma"},
    "title=emma": set(),
    "titleHas=MM": {"Emma"},
    "titleHas=50%25": {"50% off"},
    "titleHas=_": {"War_and Peace"},
    "titleHas=/": {"a/b"},
    "titleBegins=50": {"50% off", "50 offers"},
    "titleBegins=war": {"War_and Peace"},
    "minPages=400": {"Emma", "War_and Peace"},
    "pages=10&pages=20": {"50% off", "50 offers"},
    "pages=10,400": {"50% off", "Emma"},
    "pages=": set(),
    "unread=false": {"Emma"},
    "unread=true&minPages=1000": {"War_and Peace"},
    "thick=true": {"War_and Peace"},
    "thick=true&titleHas=emma": set(),
}


@pytest.mark.parametrize("path", ["/api/v1/books", "/api/v1/books/whole"])
def test_a_filter_finds_what_it_says(filled: FlaskClient, path: str) -> None:
    for query, expected in FOUND.items():
        items = filled.get(f"{path}?{query}").get_json()["items"]
        assert sorted(book["title"] for book in items) == sorted(expected), query


def test_filters_hold_across_pages(filled: FlaskClient) -> None:
    first = filled.get("/api/v1/books?titleHas=o&limit=1").get_json()
    second = filled.get(f"/api/v1/books?titleHas=o&limit=1&cursor={first['nextCursor']}").get_json()
    assert {book["title"] for book in first["items"] + second["items"]} == {"50% off", "50 offers"}
    assert second["nextCursor"] is None


def test_a_value_of_the_wrong_kind_is_told(filled: FlaskClient) -> None:
    for query in ("minPages=x", "pages=1,x", "unread=maybe", "title=%00"):
        fields = fields_of(filled.get(f"/api/v1/books?{query}"))
        assert [field.split(".")[0] for field in fields] == [query.split("=")[0]]


def test_a_schema_can_read_the_query_of_any_view(here: FlaskClient) -> None:
    assert here.get("/api/v1/misc/query?minPages=5&pages=1,2").get_json() == {"min_pages": 5, "pages": [1, 2]}
