"""What a request may carry: how large, how deep, and JSON as its own content type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import flask

from core.errors import Problem

from .json_provider import load_json

JSON_LIMIT = 1_048_576  # bytes, where a view does not say otherwise
FORM_PARTS = 50
FORM_MEMORY = 500_000  # bytes of form fields that are not files

View = TypeVar("View", bound=Callable[..., Any])
_LIMIT = "__jobstead_body_limit__"


def body_limit(size: int) -> Callable[[View], View]:
    """Let this view take bodies of up to ``size`` bytes, instead of 1 MiB of JSON or the server's limit."""

    def mark(view: View) -> View:
        setattr(view, _LIMIT, size)
        return view

    return mark


def limit_of(view: object) -> int | None:
    """What ``body_limit`` said about a view, if anything."""
    return getattr(view, _LIMIT, None)


class Request(flask.Request):
    """A request whose JSON is read by orjson, within bounds that are checked in one place."""

    def json_body(self) -> Any:
        """The body as JSON.

        Raises ``Problem``: 400 malformed or empty, 413 too large or nested too deep, 415 for another
        content type.
        """
        if not self.is_json:
            raise Problem("Send JSON, as application/json.", status=415, code="unsupported_media_type")
        try:
            return load_json(self.get_data(cache=True))
        except ValueError as error:
            raise Problem(f"This is no JSON: {error}.", code="malformed_json") from None
