"""Routes as plugins write them: parse, call, return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar, cast

import flask_smorest
import marshmallow
from flask import Response, request
from flask_smorest.utils import set_status_and_headers_in_response, unpack_tuple_response
from marshmallow import ValidationError, fields
from sqlalchemy import Select
from werkzeug.wrappers import Response as WerkzeugResponse

from core.errors import Invalid

from . import results
from .errors import invalid
from .filters import FilterSchema, from_query
from .json_provider import dump_bytes
from .paging import LIMIT, MOST, Sorts
from .request import Request, body_limit
from .schema import OneOf, Schema

View = Callable[..., Any]
Decorator = Callable[[View], View]
AnySchema = marshmallow.Schema | type[marshmallow.Schema]
Marked = TypeVar("Marked", bound=View)

_POSITION = ("limit", "cursor", "sort")


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """A group of routes below one prefix.

    ``plugin`` names whose they are; the host sets it when it serves them.
    """

    plugin = "core"

    def __init__(
        self, name: str, import_name: str | None = None, *, url_prefix: str | None = None, **options: Any
    ) -> None:
        # Flask looks for a module of that name; one that is a namespace, such as plugins, it cannot place
        super().__init__(name, import_name or __name__, url_prefix=url_prefix, **options)
        self._pages: dict[Any, type[Schema]] = {}

    def get(self, rule: str, **options: Any) -> Callable[[Marked], Marked]:
        """Answer GET (and HEAD) on ``rule``."""
        return self._on("GET", rule, options)

    def post(self, rule: str, **options: Any) -> Callable[[Marked], Marked]:
        """Answer POST on ``rule``."""
        return self._on("POST", rule, options)

    def put(self, rule: str, **options: Any) -> Callable[[Marked], Marked]:
        """Answer PUT on ``rule``."""
        return self._on("PUT", rule, options)

    def patch(self, rule: str, **options: Any) -> Callable[[Marked], Marked]:
        """Answer PATCH on ``rule``."""
        return self._on("PATCH", rule, options)

    def delete(self, rule: str, **options: Any) -> Callable[[Marked], Marked]:
        """Answer DELETE on ``rule``."""
        return self._on("DELETE", rule, options)

    def _on(self, method: str, rule: str, options: dict[str, Any]) -> Callable[[Marked], Marked]:
        return self.route(rule, methods=[method], **options)  # type: ignore[no-any-return]

    def arguments(
        self, schema: AnySchema, *, location: str = "json", description: str | None = None, **options: Any
    ) -> Decorator:
        """Load what the caller sent with ``schema`` and pass it on as the first argument.

        ``location`` is ``json``, ``query``, ``form`` or ``files``. Answers 422 naming each field that is
        wrong or unknown, and for JSON 400, 413 or 415 where there is none to load; with
        ``required=False`` an empty body counts as ``{}``.
        """
        loader = _instance(schema)
        read = _READERS[location]
        if location == "json" and options.get("required") is False:
            read = _json_if_any

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return view(_load(loader, read(loader)), *args, **kwargs)

            _document_arguments(wrapper, loader, location, description, options)
            return wrapper

        return decorate

    def response(
        self, status_code: int | str | HTTPStatus, schema: AnySchema | OneOf | None = None, **options: Any
    ) -> Decorator:
        """Answer with what the view returns: a ``select()`` (its one row, else 404), an object, or with no
        schema any JSON value; ``None`` answers an empty body. A ``Response`` goes out as it is.

        The view may return ``(value, status)`` or ``(value, status, headers)`` too.
        """
        status = int(status_code)
        writer = schema if schema is None or isinstance(schema, OneOf) else _instance(schema)

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> WerkzeugResponse:
                value, said, headers = unpack_tuple_response(view(*args, **kwargs))
                if isinstance(value, WerkzeugResponse):
                    set_status_and_headers_in_response(value, said, headers)
                    return value
                if isinstance(value, Select):
                    if writer is None or isinstance(writer, OneOf):
                        raise TypeError(
                            "a view that returns a select() names its schema: @blp.response(200, Schema)"
                        )
                    body = results.resource(value, writer)
                elif value is None:
                    body = b""
                else:
                    body = dump_bytes(value) if writer is None else results.dumped(value, writer)
                answer = Response(body, status=status, mimetype="application/json" if body else None)
                if not body:
                    del answer.headers["Content-Type"]
                set_status_and_headers_in_response(answer, said, headers)
                return answer

            return self._documented_response(wrapper, status, writer, options)

        return decorate

    def alt_response(self, status_code: int | str | HTTPStatus, *args: Any, **options: Any) -> Decorator:
        """Document another answer of the view; nothing else changes."""
        return super().alt_response(status_code, *args, **options)  # type: ignore[no-any-return]

    def page(
        self,
        schema: AnySchema,
        *,
        sort: Sequence[str] = ("-createdAt",),
        filters: type[FilterSchema] | FilterSchema | None = None,
    ) -> Decorator:
        """Answer ``{"items": [...], "nextCursor": ...}`` from the ``select(Model)`` that the view returns.

        Takes ``limit``, ``cursor`` and ``sort`` from the query, and the fields of ``filters``. ``sort`` lists
        what may be sorted by, the default order first; only columns that are never NULL.
        """
        writer = _instance(schema)
        sorts = Sorts.declared(sort)
        narrowing = filters() if isinstance(filters, type) else filters
        taken = {f.data_key for f in narrowing.fields.values()} & set(_POSITION) if narrowing else None
        if taken:
            raise ValueError(f"a filter cannot be called {', '.join(map(str, taken))}")

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*args: Any, **kwargs: Any) -> WerkzeugResponse:
                query = _page_query(narrowing)
                statement = view(*args, **kwargs)
                if not isinstance(statement, Select):
                    raise TypeError("a view with @blp.page returns a select() of one model")
                body = results.page(statement, writer, sorts, narrowing, query)
                return Response(body, mimetype="application/json")

            _document_arguments(wrapper, _page_schema(sorts, narrowing), "query", None, {})
            return self._documented_response(wrapper, 200, self._envelope(writer)(), {})

        return decorate

    def _documented_response(
        self, wrapper: View, status: int, schema: marshmallow.Schema | OneOf | None, options: dict[str, Any]
    ) -> View:
        described = {"oneOf": list(schema.schemas)} if isinstance(schema, OneOf) else schema
        describe = super().response(status, described, **options)
        wrapper._apidoc = describe(wrapper)._apidoc  # type: ignore[attr-defined]
        return wrapper

    def _envelope(self, item: marshmallow.Schema) -> type[Schema]:
        """The class that describes a page of ``item``: one for each schema, or apispec would number them."""
        kind = type(item)
        if kind not in self._pages:
            name = f"{kind.__name__.removesuffix('Schema')}Page"
            members = {
                "items": fields.List(fields.Nested(item), required=True),
                "next_cursor": fields.String(required=True, allow_none=True),
                "__module__": kind.__module__,
            }
            self._pages[kind] = type(name, (Schema,), members)
        return self._pages[kind]


def _instance(schema: AnySchema) -> marshmallow.Schema:
    return schema() if isinstance(schema, type) else schema


def _load(schema: marshmallow.Schema, data: Any) -> Any:
    try:
        return schema.load(data)
    except ValidationError as error:
        raise invalid(error) from None


def _json(_schema: marshmallow.Schema) -> Any:
    return cast(Request, request).json_body()


def _json_if_any(schema: marshmallow.Schema) -> Any:
    return _json(schema) if request.get_data(cache=True) else {}


def _query(schema: marshmallow.Schema) -> dict[str, Any]:
    return from_query(schema, dict(request.args.lists()))


def _form(schema: marshmallow.Schema) -> dict[str, Any]:
    return from_query(schema, dict(request.form.lists()))


def _files(_schema: marshmallow.Schema) -> dict[str, Any]:
    return dict(request.files.items())


_READERS: dict[str, Callable[[marshmallow.Schema], Any]] = {
    "json": _json,
    "query": _query,
    "form": _form,
    "files": _files,
}


def _page_query(narrowing: FilterSchema | None) -> dict[str, Any]:
    """The query of a list request: the position as text, the filters loaded."""
    query: dict[str, Any] = {"filters": {}}
    rest: dict[str, list[str]] = {}
    for name, given in request.args.lists():
        if name in _POSITION:
            query[name] = given[0]
        else:
            rest[name] = given
    if rest:
        if narrowing is None:
            raise Invalid(errors={name: ["Unknown field."] for name in rest})
        query["filters"] = _load(narrowing, from_query(narrowing, rest))
    return query


def _page_schema(sorts: Sorts, narrowing: FilterSchema | None) -> marshmallow.Schema:
    """What the query of a list is documented as."""
    names = ", ".join(sorts.keys)
    position: dict[str, fields.Field[Any]] = {
        "limit": fields.Integer(
            load_default=LIMIT,
            validate=marshmallow.validate.Range(1, MOST),
            metadata={"description": "At most so many."},
        ),
        "cursor": fields.String(metadata={"description": "`nextCursor` of the page before."}),
        "sort": fields.String(
            load_default=sorts.default,
            metadata={"description": f"One or more of {names}, with commas; `-` turns one round."},
        ),
    }
    declared = type(narrowing)._declared_fields if narrowing is not None else {}
    return Schema.from_dict({**position, **declared}, name="Page")()


def _document_arguments(
    wrapper: View, schema: marshmallow.Schema, location: str, description: str | None, options: dict[str, Any]
) -> None:
    """Note the argument where flask-smorest looks for it when the OpenAPI document is made."""
    doc = deepcopy(getattr(wrapper, "_apidoc", {}))
    said: dict[str, Any] = {"in": location, "required": options.pop("required", True), "schema": schema}
    said |= {k: v for k, v in options.items() if k in ("content_type", "example", "examples")}
    if description is not None:
        said["description"] = description
    arguments = doc.setdefault("arguments", {})
    arguments.setdefault("parameters", []).append(said)
    arguments.setdefault("responses", {})["422"] = "Problem"
    wrapper._apidoc = doc  # type: ignore[attr-defined]


__all__ = ["Blueprint", "body_limit"]
