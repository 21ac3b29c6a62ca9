"""JSON by orjson: one set of options, so that every path writes the same bytes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import orjson
from flask import Response
from flask.json.provider import JSONProvider

from core.errors import Problem

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_PASSTHROUGH_SUBCLASS
# Subclasses are passed through because orjson would write a ``Secret`` like any other string.


DEPTH = 64


def dump_bytes(value: object) -> bytes:
    """``value`` as JSON in UTF-8. Raises ``TypeError`` for what JSON cannot carry."""
    return orjson.dumps(value, default=_other, option=OPTIONS)


def _other(value: object) -> Any:
    if isinstance(value, str):
        return str(value)  # a Secret becomes its mask here
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if hasattr(value, "__html__"):
        return str(value.__html__())
    raise TypeError(f"{type(value).__name__} is not JSON")


def load_json(text: str | bytes) -> Any:
    """Parse JSON from outside, which may try to exhaust whoever walks through it.

    Raises ``ValueError`` malformed, ``Problem`` 413 nested more than 64 deep.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if "limit" in str(error):  # orjson has one of its own, at 1,024
            raise _too_deep() from None
        raise
    # Nothing is nested deeper than it has brackets: most texts are done here.
    data = text.encode() if isinstance(text, str) else text
    if data.count(b"{") + data.count(b"[") > DEPTH:
        _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEPTH):
        if not level:
            return
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    if level:
        raise _too_deep()


def _too_deep() -> Problem:
    return Problem(f"JSON may be nested {DEPTH} deep.", status=413, code="too_deep")


class OrjsonProvider(JSONProvider):
    """Flask's JSON provider on orjson."""

    mimetype = "application/json"

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return dump_bytes(obj).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return load_json(s)

    def response(self, *args: Any, **kwargs: Any) -> Any:
        body = dump_bytes(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype=self.mimetype)
