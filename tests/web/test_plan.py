"""The quick path and the path by objects: the same bytes, the same wall, and no value left behind."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from marshmallow import fields
from sqlalchemy import Select, func, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import aliased, load_only

from core.context import System, within
from core.db import ScopeError, acting_for, begin, db
from core.web import Schema, objections
from core.web.columns import columns_of
from core.web.narrow import ONE
from core.web.plan import plan_of, source_of
from core.web.results import resource
from core.web.schema import camel
from tests.web.conftest import Shelf, add
from tests.web.models import Binding, Book, Loan
from tests.web.shelf import BookOut, BookOutWhole

FULL: dict[str, Any] = {
    "title": "Émile “Zola” 😀 </script>",
    "pages": 2**62,
    "readAt": "2026-01-02T03:04:05.000600Z",
    "tags": ["a", "é"],
}


@pytest.fixture
def described(shelf_app: Shelf, here: FlaskClient) -> list[str]:
    """The ids of a bare book, and of one with every column filled."""
    bare = add(here, "bare")
    full = add(here, **FULL)
    with begin(on=shelf_app.world.database), acting_for(shelf_app.world.here):
        from datetime import date
        from decimal import Decimal

        book = db.session.scalars(select(Book).where(Book.title == FULL["title"])).one()
        book.subtitle, book.lent, book.weight, book.price = "sub", True, 0.1 + 0.2, Decimal("12.5")
        book.published, book.binding = date(1762, 5, 1), Binding.CLOTH
    return [bare["id"], full["id"]]


def test_both_paths_write_the_same_bytes(shelf_app: Shelf, here: FlaskClient, described: list[str]) -> None:
    for identifier in described:
        quick = here.get(f"/api/v1/books/{identifier}")
        assert quick.data == here.get(f"/api/v1/books/{identifier}/whole").data
        assert quick.get_json()["id"] == identifier
    assert here.get("/api/v1/books").data == here.get("/api/v1/books/whole").data
    full = here.get(f"/api/v1/books/{described[1]}").get_json()
    assert {key: full[key] for key in FULL} == FULL
    assert (full["price"], full["published"], full["binding"]) == ("12.50", "1762-05-01", "CLOTH")
    with shelf_app.app.app_context():
        assert objections() == {
            "books.index_whole": "the schema has pre_dump or post_dump hooks",
            "books.show_whole": "the schema has pre_dump or post_dump hooks",
        }


def test_what_is_no_column_takes_the_path_by_objects(shelf_app: Shelf, here: FlaskClient) -> None:
    book = add(here, "Emma")
    assert here.get(f"/api/v1/books/{book['id']}/loud").get_json() == {"shout": "EMMA"}
    with shelf_app.app.app_context():
        assert objections() == {"books.show_loud": "shout is no column of Book"}


def test_values_of_one_request_are_not_seen_in_the_next(shelf_app: Shelf, here: FlaskClient) -> None:
    books = [add(here, f"book {n}") for n in range(3)]
    for book in [*books, *books]:
        assert here.get(f"/api/v1/books/{book['id']}").get_json() == book
    for book in books:
        found = here.get("/api/v1/books", query_string={"title": book["title"]}).get_json()["items"]
        assert found == [book]


def test_a_plan_refuses_to_run_without_its_values(shelf_app: Shelf) -> None:
    world = shelf_app.world
    with shelf_app.app.app_context(), begin(on=world.database) as unit, acting_for(world.here):
        source, _values = source_of(select(Book).where(Book.title == "secret"), BookOut())
        plan = plan_of(source, ONE)
        assert plan is not None
        with pytest.raises(StatementError, match="A value is required"):
            plan.rows(unit, {})
        assert "secret" not in str([bind.value for bind in plan.statement._generate_cache_key().bindparams])  # type: ignore[union-attr]


def test_statements_inside_the_statement_keep_to_the_organisation(
    shelf_app: Shelf, here: FlaskClient, there: FlaskClient
) -> None:
    for client in (here, there):
        add(client, "Emma")
    with begin(on=shelf_app.world.database), acting_for(shelf_app.world.there):
        db.insert(Loan(title="Emma"))
    assert here.get("/api/v1/books/lent-out").get_json()["items"] == []
    assert [book["title"] for book in there.get("/api/v1/books/lent-out").get_json()["items"]] == ["Emma"]


def test_a_plan_made_for_one_scope_does_not_serve_another(shelf_app: Shelf, here: FlaskClient) -> None:
    import json

    book = add(here, "Emma")
    schema = BookOut()
    with shelf_app.app.test_request_context(), begin(on=shelf_app.world.database):

        def asked() -> Any:
            return json.loads(resource(select(Book).where(Book.title == "Emma"), schema))["id"]

        with within(System("a test looks at everything")):
            assert asked() == book["id"]
        with acting_for(shelf_app.world.here):
            assert asked() == book["id"]
        with acting_for(shelf_app.world.there), pytest.raises(Exception, match="not_found"):
            asked()
        with pytest.raises(ScopeError):
            asked()


class Odd(Schema):
    custom = fields.Method("shown")
    title = fields.Function(lambda book: book.title)

    def shown(self, book: Book) -> str:
        return book.title


@pytest.mark.parametrize(
    ("statement", "schema"),
    [
        (select(Book).options(load_only(Book.title)), BookOut()),
        (select(Book).distinct(), BookOut()),
        (select(Book).group_by(Book.id), BookOut()),
        (select(Book).with_for_update(), BookOut()),
        (select(Book), BookOutWhole()),
        (select(Book), Odd()),
        (select(Book), Odd(only=["title"])),
    ],
)
def test_what_a_plan_cannot_express_is_left_to_objects(
    shelf_app: Shelf, statement: Select[Any], schema: Schema
) -> None:
    with shelf_app.app.app_context(), within(shelf_app.world.here):
        source, _ = source_of(statement, schema)
        assert plan_of(source, ONE) is None
        assert source.objection


@pytest.mark.parametrize(
    "statement",
    [
        select(Book.title),
        select(Book, Loan),
        select(func.count()).select_from(Book),
        select(func.count(Book.id)),
        select(aliased(Book)),
        select(Book.__table__),
        select(Book).order_by(Book.title),
        select(Book).limit(1),
        select(Book).offset(1),
    ],
)
def test_anything_but_one_whole_model_is_refused(shelf_app: Shelf, statement: Select[Any]) -> None:
    with shelf_app.app.app_context(), pytest.raises(TypeError):
        source_of(statement, BookOut())


def test_a_schema_says_why_it_takes_objects() -> None:
    class Reaching(Schema):
        def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
            return "x"

    class Inner(fields.String):
        pass

    assert "get_attribute" in str(columns_of(Reaching(), Book))
    assert "Inner" in str(columns_of(Schema.from_dict({"title": Inner()})(), Book))
    nested = Schema.from_dict({"tags": fields.List(Inner())})()
    assert isinstance(columns_of(nested, Book), str)


def test_names_on_the_wire() -> None:
    assert [camel(name) for name in ("applied_at", "id", "_links", "a_b_c")] == [
        "appliedAt",
        "id",
        "_links",
        "aBC",
    ]
