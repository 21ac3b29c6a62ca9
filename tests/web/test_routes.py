"""Views return, and their writes are durable; they raise, and nothing happened."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.access import public
from core.web import Blueprint, Server, refuse_undeclared
from tests.web.conftest import Shelf, add


def titles(client: FlaskClient) -> set[str]:
    return {book["title"] for book in client.get("/api/v1/books").get_json()["items"]}


def test_what_is_created_can_be_read_here_and_not_there(here: FlaskClient, there: FlaskClient) -> None:
    book = add(here, "Emma", readAt="2026-01-02T03:04:05+02:00", tags=["a", "b"])
    assert book["readAt"] == "2026-01-02T01:04:05Z"
    assert here.get(f"/api/v1/books/{book['id']}").get_json() == book
    foreign = there.get(f"/api/v1/books/{book['id']}")
    unknown = there.get(f"/api/v1/books/{uuid4()}")
    assert foreign.status_code == unknown.status_code == 404
    strip = {"requestId"}
    assert {k: v for k, v in foreign.get_json().items() if k not in strip} == {
        k: v for k, v in unknown.get_json().items() if k not in strip
    }
    assert titles(there) == set()


def test_a_tracked_row_is_answered_with_its_defaults(here: FlaskClient) -> None:
    book = here.post("/api/v1/books/tracked", json={"title": "Emma"}).get_json()
    assert book["pages"] == 0
    assert here.get(f"/api/v1/books/{book['id']}").get_json() == book


def test_a_select_after_a_change_sees_the_change(here: FlaskClient) -> None:
    book = add(here, "Emma")
    changed = here.patch(f"/api/v1/books/{book['id']}", json={"pages": 7})
    assert changed.get_json()["pages"] == 7
    assert here.get(f"/api/v1/books/{book['id']}").get_json()["pages"] == 7


def test_deleting_answers_with_nothing(here: FlaskClient, there: FlaskClient) -> None:
    book = add(here, "Emma")
    assert there.delete(f"/api/v1/books/{book['id']}").status_code == 204  # the view says nothing either way
    assert titles(here) == {"Emma"}
    gone = here.delete(f"/api/v1/books/{book['id']}")
    assert (gone.status_code, gone.data, gone.content_type) == (204, b"", None)
    assert titles(here) == set()


@pytest.mark.parametrize(
    ("what", "status", "kept"),
    [
        ("return", 200, True),
        ("return-409", 409, True),
        ("raise", 500, False),
        ("exit", 500, False),
        ("problem", 409, False),
        ("twice", 409, False),
    ],
)
def test_return_commits_and_raise_rolls_back(here: FlaskClient, what: str, status: int, kept: bool) -> None:
    assert here.post(f"/api/v1/books/then/{what}").status_code == status
    assert (what in titles(here)) is kept


def test_an_organisation_without_the_plugin_has_no_such_routes(shelf_app: Shelf, here: FlaskClient) -> None:
    shelf_app.overrides[shelf_app.world.there] = {"webtest": False}
    assert shelf_app.client("there").get("/api/v1/books").status_code == 404
    assert here.get("/api/v1/books").status_code == 200


def test_rights_are_asked_for_wherever_the_mark_stands(shelf_app: Shelf) -> None:
    stranger, guest = shelf_app.client("here", None), shelf_app.client("here", "guest")
    for path in ("/api/v1/books", "/api/v1/books/whole", f"/api/v1/books/{uuid4()}"):
        refused = stranger.get(path)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert guest.get(path).status_code == 403


def test_rows_are_not_shown_without_an_organisation(shelf_app: Shelf) -> None:
    assert shelf_app.client(None).get("/api/v1/misc/no-scope").status_code == 500


def test_options_and_head_need_no_view_of_their_own(here: FlaskClient) -> None:
    told = here.options("/api/v1/books")
    assert (told.status_code, set(told.allow)) == (200, {"GET", "HEAD", "OPTIONS", "POST"})
    head = here.head("/api/v1/books")
    assert (head.status_code, head.data) == (200, b"")


def test_a_route_that_declares_nobody_refuses_to_start() -> None:
    blp = Blueprint("forgetful", __name__)

    @blp.get("/open")
    @public
    def opened() -> str:
        return ""

    @blp.get("/shut")
    def shut() -> str:
        return ""

    app = Server("x")
    app.mount(blp)
    with pytest.raises(RuntimeError, match=r"/api/v1/shut \(forgetful.shut\)"):
        refuse_undeclared(app)
    plain = Flask("y", static_folder=None)
    refuse_undeclared(plain)


def test_a_request_leaves_nothing_behind_for_the_next(shelf_app: Shelf, here: FlaskClient) -> None:
    add(here, "Emma")
    assert here.get("/api/v1/books/everywhere").get_json() == 1
    # the same thread, now nobody in no organisation
    anonymous = shelf_app.client(None, None)
    assert anonymous.get("/api/v1/books").status_code == 401
    assert anonymous.get("/api/v1/misc/no-scope").status_code == 500
