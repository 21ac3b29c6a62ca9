"""A configuration for people to read, without what they should not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from core.typed import MASK, duration_text

Row = tuple[str, str, str]

_PASSWORD_IN_URL = re.compile(r"(?<=://)([^/@\s]*):[^/\s]*(?=@)")
_SECRET_IN_QUERY = re.compile(r"(?i)(password|passwd|secret|token|sslpassword)=[^&\s]*")


def describe(config: Any, sources: Mapping[str, str]) -> list[Row]:
    """``(key, shown value, source)`` for each key of ``sources``, in their order."""
    return [(key, shown(_at(config, key)), source) for key, source in sources.items()]


def _at(config: Any, key: str) -> Any:
    for name in key.split("."):
        config = getattr(config, name)
    return config


def shown(value: Any) -> str:
    """``value`` as somebody would write it; secrets, and passwords inside URLs, are masked."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, list | tuple):
        return ", ".join(shown(item) for item in value) or "-"
    if isinstance(value, str | Path):
        masked = _PASSWORD_IN_URL.sub(rf"\1:{MASK}", str(value))
        return _SECRET_IN_QUERY.sub(rf"\1={MASK}", masked) or "-"
    return str(value)
