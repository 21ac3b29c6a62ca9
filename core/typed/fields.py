"""marshmallow fields for what operators and events write: durations, sizes, moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from marshmallow import fields

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?")
# Powers of 1024, as nginx and Express (where the documents' "10mb" comes from) read them.
_BYTES = {"": 1, "B": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGT])I?B?|B)?", re.IGNORECASE)


class Bytes(int):
    """A number of bytes; as a type of a dataclass field it accepts ``"10MB"`` (1 MB = 1 MiB = 1,048,576)."""


def duration_text(value: timedelta) -> str:
    """``value`` in its largest whole unit: ``"7d"``, ``"90m"``, ``"1500ms"``."""
    milliseconds = round(value / timedelta(milliseconds=1))
    for unit in ("d", "h", "m", "s"):
        size = round(_SECONDS[unit] * 1000)
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0s"


class DurationField(fields.Field[timedelta]):
    """A duration: ``"30s"``, ``"10m"``, ``"24h"``, ``"7d"``, or a number of seconds. Never negative."""

    default_error_messages = {"invalid": "Must be a duration such as 30s, 10m, 24h or 7d."}

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self.make_error("invalid")
        match = _DURATION.fullmatch(str(value).strip())
        if match is None:
            raise self.make_error("invalid")
        try:
            return timedelta(seconds=float(match[1]) * _SECONDS[match[2] or "s"])
        except OverflowError:
            raise self.make_error("invalid") from None

    def _serialize(self, value: timedelta | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else duration_text(value)

    def json_schema(self) -> dict[str, Any]:
        pattern = r"^[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d|w)?$"
        return {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "number", "minimum": 0}]}


class BytesField(fields.Field[int]):
    """A size: ``"10MB"``, ``"64kB"``, or a number of bytes. 1 MB = 1 MiB = 1,048,576 bytes."""

    default_error_messages = {"invalid": "Must be a size such as 64kB or 10MB."}

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Bytes:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise self.make_error("invalid")
        match = _SIZE.fullmatch(str(value).strip())
        if match is None:
            raise self.make_error("invalid")
        return Bytes(float(match[1]) * _BYTES[(match[2] or "").upper()])

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **kwargs: Any) -> int | None:
        return None if value is None else int(value)

    def json_schema(self) -> dict[str, Any]:
        pattern = r"^[0-9]+(\.[0-9]+)?\s*([kKmMgGtT]i?)?[bB]?$"
        return {"anyOf": [{"type": "string", "pattern": pattern}, {"type": "integer", "minimum": 0}]}


class UtcField(fields.AwareDateTime):
    """A moment, written as RFC 3339 in UTC with ``Z``. One without a zone is refused."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> datetime:
        return super()._deserialize(value, attr, data, **kwargs).astimezone(UTC)

    def _serialize(self, value: datetime | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class TupleField(fields.List[Any]):
    """A list that loads as a tuple, for frozen dataclasses."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))
