"""What the served document says can be done: one ``Operation`` for each method of each path."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.web import Server

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Operation:
    """One operation. ``permission`` is ``None`` where everybody may; ``holders`` are the roles that
    hold it without an admin's doing, those of an organisation written ``org:viewer``."""

    id: str
    method: str
    path: str
    permission: str | None
    holders: frozenset[str]
    places: tuple[tuple[str, str], ...] = ()
    """Names of path parameters, and whether each is a ``uuid`` or a ``string``."""
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, compare=False)
    body: Mapping[str, Any] | None = field(default=None, compare=False)
    """The schema of the JSON body, its references resolved."""
    creates: bool = False

    @property
    def changes(self) -> bool:
        return self.method != "GET"

    @property
    def public(self) -> bool:
        return self.permission is None

    @property
    def of_instance(self) -> bool:
        """Whether neither being signed in nor any role in an organisation is enough."""
        return not self.public and "user" not in self.holders and not self.org_roles

    @property
    def org_roles(self) -> frozenset[str]:
        return frozenset(role for role in self.holders if role.startswith("org:"))

    def open_to(self, *roles: str) -> bool:
        """Whether somebody signed in who has ``roles`` besides is let through to the view."""
        return self.public or bool(self.holders & {"user", *roles})

    def url(self, **values: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], self.path)

    def urls(self, ids: list[str], **fixed: str) -> Iterator[str]:
        """The path with ``fixed`` put in, and each of ``ids`` in all other places at once."""
        free = [name for name, _ in self.places if name not in fixed]
        if not free:
            yield self.url(**fixed)
            return
        for value in ids:
            yield self.url(**fixed, **dict.fromkeys(free, value))

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def operations(app: Server) -> list[Operation]:
    """Every operation in the document as somebody without a token gets it."""
    answer = app.test_client().get("/openapi.json")
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.get_json()
    return list(_read(document, app))


def _read(document: dict[str, Any], app: Server) -> Iterator[Operation]:
    registry = {p.name: p.roles for p in app.extensions["jobstead.permissions"]}
    for (path, item), method in itertools.product(document["paths"].items(), METHODS):
        told = item.get(method)
        if told is None:
            continue
        parameters = [*item.get("parameters", ()), *told.get("parameters", ())]
        content = told.get("requestBody", {}).get("content", {})
        permission = told.get("x-permission")
        yield Operation(
            id=told["operationId"],
            method=method.upper(),
            path=path,
            permission=permission,
            holders=registry.get(permission, frozenset()),
            places=tuple(
                (p["name"], p["schema"].get("format", "string")) for p in parameters if p["in"] == "path"
            ),
            query={p["name"]: p["schema"] for p in parameters if p["in"] == "query"},
            body=resolved(content["application/json"]["schema"], document)
            if "application/json" in content
            else None,
            creates="201" in told["responses"],
        )


def resolved(schema: Any, document: dict[str, Any]) -> Any:
    """``schema`` without references."""
    if isinstance(schema, list):
        return [resolved(part, document) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return resolved(found, document)
    return {key: resolved(value, document) for key, value in schema.items()}
