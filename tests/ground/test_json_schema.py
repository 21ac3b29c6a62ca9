"""JSON Schema of settings and events: enough to draw a form, never a secret."""

# ruff: noqa: RUF009  defaults of dataclasses are what is tested
from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from marshmallow import EXCLUDE, Schema, fields, validate

from core.typed import Bytes, Secret, described, json_schema, schema_of


@dataclass(frozen=True)
class Inner:
    host: str


@dataclass(frozen=True)
class Settings:
    id: UUID
    mode: Literal["a", "b"] = described("a", "Which way.")
    port: int | None = described(None, "Where.", validate=validate.Range(1, 65535))
    ratio: float = field(default=0.5, metadata={"validate": validate.Range(min=0, min_inclusive=False)})
    at: datetime | None = None
    life: timedelta = timedelta(days=7)
    size: Bytes = Bytes(1024)
    key: Secret = Secret("open sesame")
    inner: Inner | None = None
    names: list[str] = described([], "Who.", validate=validate.Length(max=3))
    counts: dict[str, int] = field(default_factory=dict)


def test_the_schema_of_a_dataclass() -> None:
    schema = json_schema(schema_of(Settings))
    properties = schema["properties"]

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["type"] == "object"
    assert schema["required"] == ["id"]
    assert schema["additionalProperties"] is False
    assert properties["id"] == {"type": "string", "format": "uuid"}
    assert properties["mode"] == {
        "type": "string",
        "enum": ["a", "b"],
        "description": "Which way.",
        "default": "a",
    }
    assert properties["port"] == {
        "type": ["integer", "null"],
        "minimum": 1,
        "maximum": 65535,
        "description": "Where.",
        "default": None,
    }
    assert properties["ratio"] == {"type": "number", "exclusiveMinimum": 0, "default": 0.5}
    assert properties["at"]["format"] == "date-time"
    assert properties["life"]["default"] == "7d"
    assert properties["size"]["default"] == 1024
    assert properties["inner"]["properties"] == {"host": {"type": "string"}}
    assert properties["inner"]["type"] == ["object", "null"]
    assert properties["names"]["items"] == {"type": "string"}
    assert properties["names"]["maxItems"] == 3
    assert properties["counts"]["additionalProperties"] == {"type": "integer"}


def test_a_secret_is_write_only_and_its_default_masked() -> None:
    schema = json_schema(schema_of(Settings))
    assert schema["properties"]["key"]["writeOnly"] is True
    assert "sesame" not in json.dumps(schema)


def test_a_schema_written_by_hand() -> None:
    class Smtp(Schema):
        class Meta:
            unknown = EXCLUDE

        sender = fields.Email(required=True, data_key="from")
        link = fields.Url()
        code = fields.String(validate=[validate.Regexp("^[0-9]+$"), validate.Length(equal=6)])
        seen = fields.Date(dump_only=True)
        inner = fields.Nested(schema_of(Inner), many=True)

    schema = json_schema(Smtp)
    assert schema["required"] == ["from"]
    assert "additionalProperties" not in schema
    assert "seen" not in schema["properties"]
    assert schema["properties"]["code"] == {
        "type": "string",
        "pattern": "^[0-9]+$",
        "minLength": 6,
        "maxLength": 6,
    }
    assert schema["properties"]["link"]["format"] == "uri"
    assert schema["properties"]["inner"]["items"]["required"] == ["host"]
