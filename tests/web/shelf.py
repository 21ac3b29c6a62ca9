"""The routes of the books: what a plugin's author would write."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from flask import Response, request
from marshmallow import ValidationError, fields, post_dump, validate, validates_schema
from sqlalchemy import Select, exists, select

from core.access import public, require
from core.db import db, unscoped
from core.errors import Conflict, Problem
from core.web import Blueprint, FilterSchema, Schema, body_limit
from tests.web.models import Binding, Book, Loan, Word


class BookOut(Schema):
    id = fields.UUID()
    title = fields.String()
    pages = fields.Integer()
    subtitle = fields.String()
    lent = fields.Boolean()
    weight = fields.Float()
    price = fields.Decimal(places=2, as_string=True)
    published = fields.Date()
    read_at = fields.DateTime()
    tags = fields.List(fields.String())
    binding = fields.Enum(Binding)
    created_at = fields.DateTime()


class BookOutWhole(BookOut):
    """The same by way of objects: a hook makes the plan step aside."""

    @post_dump
    def nothing(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data


class Loud(Schema):
    shout = fields.String()


class Side(Schema):
    page_no = fields.Integer(required=True)


class BookIn(Schema):
    title = fields.String(required=True, validate=validate.Length(1, 200))
    pages = fields.Integer()
    read_at = fields.DateTime()
    tags = fields.List(fields.String())
    page_marks = fields.List(fields.Nested(Side))

    @validates_schema
    def together(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("pages") == 13:
            raise ValidationError("Not thirteen.", "read_at")
        if data.get("pages") == 14:
            raise ValidationError("Not fourteen.")


class BookFilter(FilterSchema):
    title = fields.String()
    title_has = fields.String(metadata={"column": "title", "op": "contains"})
    title_begins = fields.String(metadata={"column": "title", "op": "prefix"})
    min_pages = fields.Integer(metadata={"column": "pages", "op": "ge"})
    pages = fields.List(fields.Integer(), metadata={"op": "in"})
    unread = fields.Boolean(metadata={"column": "read_at", "op": "null"})
    thick = fields.Boolean()

    def apply(self, statement: Select[Any], values: dict[str, Any]) -> Select[Any]:
        if values.pop("thick", False):
            statement = statement.where(Book.pages > 500)
        return statement


blp = Blueprint("books", __name__, url_prefix="/books")
SORTS = ("-createdAt", "title", "pages")
TRANSIENT: dict[str, Callable[[], Any]] = {}


@blp.get("")
@require("webtest.book.read")
@blp.page(BookOut, sort=SORTS, filters=BookFilter)
def index() -> Select[Any]:
    """Books on the shelf."""
    return select(Book)


@blp.get("/whole")
@blp.page(BookOutWhole, sort=SORTS, filters=BookFilter)
@require("webtest.book.read")
def index_whole() -> Select[Any]:
    """The same list by the other path."""
    return select(Book)


@require("webtest.book.read")
@blp.get("/<uuid:id>")
@blp.response(200, BookOut)
def show(id: Any) -> Select[Any]:
    """One book."""
    return select(Book).where(Book.id == id)


@blp.get("/<uuid:id>/whole")
@require("webtest.book.read")
@blp.response(200, BookOutWhole())
def show_whole(id: Any) -> Select[Any]:
    return select(Book).where(Book.id == id)


@blp.get("/<uuid:id>/loud")
@require("webtest.book.read")
@blp.response(200, Loud)
def show_loud(id: Any) -> Select[Any]:
    return select(Book).where(Book.id == id)


@blp.get("/lent-out")
@require("webtest.book.read")
@blp.page(BookOut, sort=SORTS)
def lent_out() -> Select[Any]:
    """Books of a title that is lent: the inner statement must keep to the organisation too."""
    return select(Book).where(exists().where(Loan.title == Book.title))


@blp.get("/everywhere")
@require("webtest.book.read")
@blp.response(200)
def everywhere() -> int:
    with unscoped("a test counts"):
        return len(db.session.scalars(select(Book)).all())


@blp.post("")
@require("webtest.book.write")
@blp.arguments(BookIn)
@blp.response(201, BookOut)
def create(data: dict[str, Any]) -> Book:
    """Put a book on the shelf."""
    data.pop("page_marks", None)
    return db.insert(Book(**data))


@blp.post("/tracked")
@require("webtest.book.write")
@blp.arguments(BookIn())
@blp.response(201, BookOut)
def create_tracked(data: dict[str, Any]) -> Book:
    book = Book(**data)
    db.session.add(book)
    return book


@blp.patch("/<uuid:id>")
@require("webtest.book.write")
@blp.arguments(BookIn(partial=True))
@blp.response(200, BookOut)
def change(data: dict[str, Any], id: Any) -> Select[Any]:
    book = db.session.scalars(select(Book).where(Book.id == id)).one_or_none()
    for name, value in data.items():
        setattr(book, name, value)
    return select(Book).where(Book.id == id)


@blp.delete("/<uuid:id>")
@require("webtest.book.write")
@blp.response(204)
def remove(id: Any) -> None:
    book = db.session.scalars(select(Book).where(Book.id == id)).one_or_none()
    if book is not None:
        db.session.delete(book)


@blp.post("/then/<what>")
@require("webtest.book.write")
@blp.response(200)
def write_then(what: str) -> Any:
    """Writes a book called after ``what``, then ends in that way."""
    db.insert(Book(title=what))
    if what == "raise":
        raise RuntimeError("a fault: hush-hush")
    if what == "exit":
        sys.exit(3)
    if what == "problem":
        raise Conflict("Not now.", headers={"X-Reason": "mood"})
    if what == "return-409":
        return {"sorry": True}, 409
    if what == "twice":
        db.insert(Book(title=what))
    return {"done": what}


blp_other = Blueprint("misc", __name__, url_prefix="/misc")


@blp_other.get("/words")
@public
@blp_other.page(Schema.from_dict({"text": fields.String()}, name="WordOut"), sort=("text",))
def words() -> Select[Any]:
    """Words of the instance."""
    return select(Word)


@blp_other.get("/no-scope")
@public
@blp_other.page(BookOut)
def no_scope() -> Select[Any]:
    return select(Book)


@blp_other.post("/echo")
@public
@body_limit(5_000_000)
def echo() -> Response:
    """What came as JSON, by Flask's own way of reading it."""
    return Response(str(len(str(request.get_json()))))


@blp_other.get("/bad/<kind>")
@public
@blp_other.page(BookOut, sort=("-readAt",))
def bad(kind: str) -> Any:
    """Statements that a list cannot be made of."""
    return {
        "sort": select(Book),
        "ordered": select(Book).order_by(Book.title),
        "columns": select(Book.id, Book.title),
        "list": [],
    }[kind]


@blp_other.get("/refuse/<int:status>")
@public
def refuse(status: int) -> Response:
    raise Problem("Because.", status=status, code="because", headers={"Retry-After": "7"})


@blp_other.get("/query")
@public
@blp_other.arguments(BookFilter, location="query")
@blp_other.response(200)
def query(given: dict[str, Any]) -> dict[str, Any]:
    return given
