"""A log record as one line: JSON for machines, or something a person reads at a terminal."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from core import context

from .redact import redact, redacted

FIELDS = "jobstead_fields"  # attribute of a record that holds what get_logger's callers named
_LONGEST_TRACE = 16_000
_TAKEN = frozenset({"time", "level", "logger", "message", "request_id", "organisation"})


class JsonLine(logging.Formatter):
    """One JSON object a line; whatever is logged cannot begin a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        line = dict(_head(record))
        line.update(_rest(record, self))
        try:
            text = orjson.dumps(line).decode()
        except TypeError:  # a lone surrogate or an integer beyond 64 bits, which the slower one writes
            return json.dumps(line)
        # JSON itself escapes neither C1 controls nor U+2028, which some readers take for line ends.
        return text if text.isprintable() else "".join(map(_escaped, text))


class ConsoleLine(logging.Formatter):
    """``12:00:01 INFO jobstead.access request method="GET"``; a trace follows, each line behind a bar."""

    def format(self, record: logging.LogRecord) -> str:
        head = dict(_head(record))
        time, level, name, message = (str(head.pop(key)) for key in ("time", "level", "logger", "message"))
        rest = {**head, **dict(_rest(record, self))}
        trace = str(rest.pop("exception", ""))
        pairs = [f"{key}={_printable(json.dumps(value, ensure_ascii=False))}" for key, value in rest.items()]
        line = " ".join([time[11:19], level.upper(), name, _printable(message), *pairs])
        return "\n".join([line, *(f"    | {_printable(each)}" for each in trace.splitlines())])


def _head(record: logging.LogRecord) -> Iterator[tuple[str, Any]]:
    yield "time", datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
    yield "level", record.levelname.lower()
    yield "logger", record.name
    yield "message", redact(record.getMessage())
    if (request_id := context.request_id()) is not None:
        yield "request_id", request_id
    if (organisation := context.organisation_id()) is not None:
        yield "organisation", str(organisation)
    if record.name.startswith("plugins."):
        yield "plugin", record.name.split(".")[1]


def _rest(record: logging.LogRecord, formatter: logging.Formatter) -> Iterator[tuple[str, Any]]:
    for key, value in getattr(record, FIELDS, {}).items():
        if value is not None:
            yield (f"{key}_" if key in _TAKEN else key), redacted(key, value)
    if record.exc_info:
        yield "exception", redact(formatter.formatException(record.exc_info), longest=_LONGEST_TRACE)


def _escaped(char: str) -> str:
    return char if char.isprintable() else json.dumps(char)[1:-1]


def _printable(text: str) -> str:
    """``text`` with control characters escaped: no colours, no forged lines."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
