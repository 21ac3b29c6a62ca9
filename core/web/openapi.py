"""The OpenAPI 3.1 document: built when first asked for, once for each set of plugins that serve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask, Response, current_app, request
from flask_smorest.spec.plugins import FlaskPlugin

from core import __version__
from core.access import access_of, public
from core.context import organisation_id
from core.switch import active, switch

from .blueprint import Blueprint
from .json_provider import dump_bytes
from .naming import SchemaNames
from .state import SAFE, web

PATH = "/openapi.json"

_PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "What a program compares."},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Sentences about each field, by its dotted path; `*` is the whole.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "requestId": {"type": ["string", "null"]},
    },
}
_REFUSED = {"$ref": "#/components/responses/Problem"}


class _Api:
    """What flask-smorest's blueprints look up while they describe themselves."""

    DEFAULT_ERROR_RESPONSE_NAME = "Problem"
    DEFAULT_REQUEST_BODY_CONTENT_TYPE = "application/json"
    DEFAULT_RESPONSE_CONTENT_TYPE = "application/json"


blp = Blueprint("openapi", __name__)


@blp.get(PATH)
@public
def document() -> Response:
    """This document. Anonymous callers see every plugin of the instance, others their organisation's."""
    organisation = organisation_id()
    serving = frozenset(name for name in switch().defaults if active(name, organisation))
    cache: dict[frozenset[str], bytes] = web().caches.setdefault("openapi", {})
    body = cache.get(serving)
    if body is None:
        if len(cache) >= 64:
            cache.clear()
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        body = cache[serving] = dump_bytes(build(app, serving))
    response = Response(body, mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


def build(app: Flask, serving: Iterable[str]) -> dict[str, Any]:
    """The document of core and the plugins in ``serving``."""
    names = SchemaNames()
    spec = APISpec(
        title="Jobstead",
        version=__version__,
        openapi_version="3.1.0",
        info={"description": "Every answer that is no success is a problem as RFC 9457 describes it."},
        plugins=[FlaskPlugin(), MarshmallowPlugin(schema_name_resolver=names)],
    )
    spec.components.schema("core.Problem", _PROBLEM)
    spec.components.response(
        "Problem",
        {
            "description": "A problem.",
            "content": {
                "application/problem+json": {"schema": {"$ref": "#/components/schemas/core.Problem"}}
            },
        },
    )
    for credential in web(app).credentials:
        for name, scheme in credential.schemes.items():
            spec.components.security_scheme(name, scheme)
    shown = {"core", *serving}
    for name, blueprint in sorted(app.blueprints.items()):
        if isinstance(blueprint, Blueprint) and blueprint.plugin in shown:
            names.plugin = blueprint.plugin
            blueprint.register_views_in_doc(_Api, app, spec, name=name, parameters=None)
            spec.tag({"name": name, "description": blueprint.description or f"Of {blueprint.plugin}."})
    result: dict[str, Any] = spec.to_dict()
    return _finished(app, result)


def _finished(app: Flask, document: dict[str, Any]) -> dict[str, Any]:
    """Add what only the routes know: ids, permissions, refusals. Pages are left out."""
    paths = document["paths"]
    kept: dict[str, Any] = {}
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        path = FlaskPlugin.flaskpath2openapi(rule.rule)
        if not hasattr(view, "_apidoc"):
            continue
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        for method in methods:
            operation = paths.get(path, {}).get(method.lower())
            if operation is not None:
                _describe(operation, app, rule.endpoint, view, safe=method in SAFE)
                if len(methods) > 1:
                    operation["operationId"] += f".{method.lower()}"
                there = kept.setdefault(path, {k: v for k, v in paths[path].items() if k == "parameters"})
                there[method.lower()] = operation
    document["paths"] = kept
    used = {
        tag for path in kept.values() for op in path.values() if isinstance(op, dict) for tag in op["tags"]
    }
    document["tags"] = [tag for tag in document.get("tags", []) if tag["name"] in used]
    return document


def _describe(operation: dict[str, Any], app: Flask, endpoint: str, view: Any, *, safe: bool) -> None:
    blueprint = app.blueprints[endpoint.rpartition(".")[0]]
    plugin: str = getattr(blueprint, "plugin", "core")
    operation["operationId"] = endpoint if endpoint.startswith(f"{plugin}.") else f"{plugin}.{endpoint}"
    responses = operation.setdefault("responses", {})
    if not any(status.startswith(("2", "3")) for status in map(str, responses)):
        responses["200"] = {"description": "OK"}
    access = access_of(view)
    if access is not None and access.permission is not None:
        operation["x-permission"] = access.permission
        needed = (way.reading if safe else way.writing for way in web(app).credentials)
        operation["security"] = [{name: [] for name in names} for names in needed]
        responses.setdefault("401", _REFUSED)
        responses.setdefault("403", _REFUSED)
    else:
        operation.setdefault("security", [])
    operation["responses"] = {status: responses[status] for status in sorted(responses, key=str)}
