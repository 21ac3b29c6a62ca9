"""The document: valid, complete, and of the plugins that serve whoever asks."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from marshmallow import fields
from openapi_spec_validator import OpenAPIV31SpecValidator

from core.web import Schema
from core.web.naming import SchemaNames
from tests.web.conftest import Shelf
from tests.web.shelf import BookIn


def document(client: FlaskClient) -> dict[str, Any]:
    told: dict[str, Any] = client.get("/openapi.json").get_json()
    return told


def test_it_is_valid_and_names_every_route(shelf_app: Shelf) -> None:
    told = document(shelf_app.client(None, None))
    assert told["openapi"] == "3.1.0"
    assert [str(error) for error in OpenAPIV31SpecValidator(told).iter_errors()] == []
    documented = {
        (path.replace("{id}", "<uuid:id>").replace("{", "<").replace("}", ">"), method.upper())
        for path, operations in told["paths"].items()
        for method in operations
        if method != "parameters"
    }
    assert ("/api/v1/books", "GET") in documented
    assert ("/api/v1/books/<uuid:id>", "PATCH") in documented
    assert ("/health", "GET") in documented
    assert not any(path in ("/", "/docs") or path.startswith("/static") for path, _ in documented)


def test_operations_say_who_may_and_what_comes_back(shelf_app: Shelf) -> None:
    told = document(shelf_app.client(None, None))
    create = told["paths"]["/api/v1/books"]["post"]
    assert create["x-permission"] == "webtest.book.write"
    assert create["security"] == [{"bearer": []}]
    assert told["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    assert set(create["responses"]) == {"201", "401", "403", "422", "default"}
    assert create["summary"] == "Put a book on the shelf."
    public = told["paths"]["/api/v1/misc/words"]["get"]
    assert public["security"] == []
    assert "x-permission" not in public
    refused = told["components"]["responses"]["Problem"]["content"]
    assert list(refused) == ["application/problem+json"]


def test_lists_document_their_query(shelf_app: Shelf) -> None:
    listed = document(shelf_app.client(None, None))["paths"]["/api/v1/books"]["get"]
    names = {parameter["name"]: parameter["schema"] for parameter in listed["parameters"]}
    assert names["limit"] == {"type": "integer", "default": 20, "minimum": 1, "maximum": 100}
    assert names["minPages"]["type"] == "integer"
    assert {"cursor", "sort", "titleHas"} <= set(names)


def test_ids_and_names_are_unique_and_stay(shelf_app: Shelf) -> None:
    first, second = (document(shelf_app.client(None, None)) for _ in range(2))
    assert first == second
    ids = [
        operation["operationId"]
        for operations in first["paths"].values()
        for method, operation in operations.items()
        if method != "parameters"
    ]
    assert len(ids) == len(set(ids))
    assert {"webtest.books.index", "webtest.books.create", "core.health.ready"} <= set(ids)
    components = set(first["components"]["schemas"])
    assert {"core.Problem", "webtest.BookOut", "webtest.BookIn", "webtest.BookInPartial"} <= components
    assert {"webtest.BookOutPage", "webmisc.WordOutPage"} <= components


def test_an_organisation_sees_what_serves_it(shelf_app: Shelf) -> None:
    shelf_app.overrides[shelf_app.world.there] = {"webtest": False}
    assert "/api/v1/books" in document(shelf_app.client("here"))["paths"]
    there = document(shelf_app.client("there"))
    assert "/api/v1/books" not in there["paths"]
    assert not any(name.startswith("webtest.") for name in there["components"]["schemas"])
    assert "/api/v1/books" in document(shelf_app.client(None, None))["paths"]


def test_who_has_it_already_is_told_so(here: FlaskClient) -> None:
    first = here.get("/openapi.json")
    again = here.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_schemas_are_named_after_their_plugin_and_told_apart() -> None:
    def schema(module: str, name: str) -> Schema:
        made: Schema = type(
            name, (Schema,), {"__module__": module, "a": fields.String(), "b": fields.String()}
        )()
        return made

    names = SchemaNames()
    names.plugin = "outsider"
    assert names(schema("core.orgs.schemas", "OrgSchema")) == "core.Org"
    assert names(schema("plugins.mail.schemas", "Template")) == "mail.Template"
    assert names(schema("somewhere.else", "Thing")) == "outsider.Thing"
    assert names(schema("elsewhere.deep", "Thing")) == "outsider.Thing_deep"
    kind = type(schema("plugins.mail.x", "Mail"))
    some, others = names(kind(only=["a"])), names(kind(only=["b"]))
    assert len({names(kind()), some, others, names(kind(partial=True))}) == 4
    assert names(kind(only=["a"])) == some
    assert names(BookIn(partial=True)) == "outsider.BookInPartial"
