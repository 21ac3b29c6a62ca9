"""Values that must not be shown."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import fields

MASK = "********"

# What sample files say where a secret belongs: whoever copies one must not end up with a password
# that all the world knows.
_PLACEHOLDER = re.compile(
    r"change[-_ ]?(me|this).*|your[-_ ].*|<.*>|placeholder|todo|x{3,}|\.{3}|\*+", re.IGNORECASE
)


class Secret:
    """A text that shows itself as ``********``; ``reveal()`` gives the value.

    It is no ``str`` on purpose: whatever would write it down without asking (``json``, ``orjson``,
    string concatenation) raises instead. Equal only to another ``Secret`` of the same value,
    compared in constant time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str | Secret) -> None:
        self._value: str = value.reveal() if isinstance(value, Secret) else value

    def reveal(self) -> str:
        """The value itself. Hand it on at once; do not keep it."""
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a Secret cannot be pickled")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: Any) -> Secret:
        return self


class SecretField(fields.Field[Secret]):
    """Loads a text as a ``Secret`` and dumps the mask.

    In ``plugins.toml`` a secret may also be ``{env = "VARIABLE"}`` or ``{file = "path"}``;
    ``core.config.resolve`` follows those before the schema sees them, so that no value that came
    over the API can name a file.
    """

    default_error_messages = {
        "invalid": "Not a valid text.",
        "placeholder": "This is a placeholder; put the real value there.",
    }

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> Secret:
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if _PLACEHOLDER.fullmatch(value):
            raise self.make_error("placeholder")
        return Secret(value)

    def _serialize(self, value: Secret | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else MASK

    def json_schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}
