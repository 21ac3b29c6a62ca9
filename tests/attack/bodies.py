"""Bodies made from schemas: one that should be taken, and the many that should not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

KNOWN: dict[str, Any] = {
    "email": "somebody-{n}@example.org",
    "newEmail": "somewhere-{n}@example.org",
    "to": "somebody-{n}@example.org",
    "password": "correct horse battery",
    "currentPassword": "correct horse battery",
    "newPassword": "another horse battery {n}",
    "code": "000000",
    "slug": "slug-{n}",
    "locale": "en",
    "timezone": "Europe/Vienna",
    "role": "member",
    "permissions": [],
    "primaryColor": "#1f5fbf",
    "accentColor": "#1f5fbf",
}
"""What fits fields of these names, where their schema alone does not tell."""

_FORMATS = {
    "uuid": "01912d68-783e-7a03-8467-5661c1243ad4",
    "url": "https://example.org/a",
    "uri": "https://example.org/a",
    "email": "somebody-{n}@example.org",
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "10:00:00",
}

WRONG: tuple[Any, ...] = (
    None,
    True,
    -1,
    1.5,
    10**400,
    "",
    "a\0b",
    "a\r\nBcc: everybody@example.org",
    "' OR '1'='1' --",
    "../../../../etc/passwd",
    "{{7*7}}${7*7}%s%n",
    "\u202e\u2066\ufeff",
    "٣٣٣٣٣٣",
    "0001-01-01T00:00:00+23:59",
    "a" * 3_000,
    ["a"] * 600,
    [None],
    {"$ne": None},
    [{"a": [{"b": [{}]}]}],
)
"""Values no field expects, or few do."""

RAW: tuple[tuple[bytes, str], ...] = (
    (b"", "application/json"),
    (b"", ""),
    (b"{", "application/json"),
    (b"null", "application/json"),
    (b"[]", "application/json"),
    (b'"text"', "application/json"),
    (b'{"a": NaN}', "application/json"),
    (b'{"a": 1e999}', "application/json"),
    (b'{"a": -0, "a": 1}', "application/json"),
    (b'{"a": "\\ud800"}', "application/json"),
    (b'{"a": "\xff\xfe"}', "application/json"),
    (b"[" * 500 + b"]" * 500, "application/json"),
    (b"{}", "text/plain"),
    (b"a=1", "application/x-www-form-urlencoded"),
    (b"{}", "multipart/form-data"),
)
"""Bodies, each with its content type, that are no body of ours."""

LARGE: tuple[tuple[bytes, str], ...] = (
    (b"\xef\xbb\xbf{}", "application/json"),
    ("{}".encode("utf-16"), "application/json; charset=utf-16"),
    (b"[" * 100_000, "application/json"),
    (b'{"a":' * 100_000, "application/json"),
    (b'{"email": "' + b"a" * 1_000_000 + b'"}', "application/json"),
    (b"{" + b",".join(b'"k%d":1' % i for i in range(20_000)) + b"}", "application/json"),
    (b"<a/>", "application/xml"),
    (b"--x\r\n", "multipart/form-data; boundary=x"),
    (b"{}", "application/json/../../x"),
)
"""More of them, refused before anybody looks at which operation it is."""


def sample(schema: Schema, n: int = 0, *, every: bool = True, text: str = "sample", **said: Any) -> Any:
    """A value that fits ``schema``; ``n`` keeps those apart that must not be alike, ``text`` is in every one.

    With ``every`` also what is not required. ``said`` decides fields of the outermost object.
    """
    if "properties" in schema:
        needed = set(schema.get("required", ()))
        return {
            name: said[name] if name in said else _field(name, part, n, every=every, text=text)
            for name, part in schema["properties"].items()
            if (name in needed or every or name in said) and not part.get("readOnly")
        }
    return _field("", schema, n, every=every, text=text)


def _field(name: str, schema: Schema, n: int, *, every: bool, text: str) -> Any:
    for way in ("anyOf", "oneOf", "allOf"):
        if way in schema:
            return _field(name, schema[way][0], n, every=every, text=text)
    if "enum" in schema:
        return schema["enum"][-1]
    kind = schema.get("type")
    kind = next((k for k in kind if k != "null"), None) if isinstance(kind, list) else kind
    if kind == "string" or kind is None:
        if "format" in schema and schema["format"] in _FORMATS:
            return _FORMATS[schema["format"]].format(n=n)
        known = KNOWN.get(name, f"{text} {n}")
        return known.format(n=n) if isinstance(known, str) else known
    if kind == "array":
        return [] if name in KNOWN else [_field("", schema.get("items", {}), n, every=every, text=text)]
    if kind == "object":
        return sample(schema, n, every=every, text=text) if "properties" in schema else {}
    plain: dict[str, Any] = {"integer": schema.get("minimum", 1), "number": 1.5, "boolean": True}
    return plain.get(str(kind))


def spoiled(schema: Schema) -> Iterator[Any]:
    """Bodies with one thing wrong each."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    good = sample(schema)
    for name in properties:
        for value in WRONG:
            yield {**good, name: value}
        if name in good:
            yield {key: value for key, value in good.items() if key != name}
    yield {**good, "unknown": 1}
    yield {
        **good,
        "id": _FORMATS["uuid"],
        "organisationId": _FORMATS["uuid"],
        "organisation_id": _FORMATS["uuid"],
    }
    yield {}
    yield {"": ""}
    yield {"\0": "\0"}
    yield [good]


def uuid_fields(schema: Schema) -> list[str]:
    """Names of the fields that hold the id of something."""
    return [
        name
        for name, part in schema.get("properties", {}).items()
        if part.get("format") == "uuid" or part.get("items", {}).get("format") == "uuid"
    ]
