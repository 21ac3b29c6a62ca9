"""What one app remembers of issuers: their discovery documents and their keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app

from .documents import Documents
from .keysets import Keys, keys_of


def _as_it_is(document: dict[str, Any]) -> dict[str, Any]:
    return document


@dataclass
class State:
    """The documents of every issuer this process has met."""

    metadata: Documents[dict[str, Any]] = field(default_factory=lambda: Documents(_as_it_is))
    keys: Documents[Keys] = field(default_factory=lambda: Documents(keys_of))


def state() -> State:
    """What the running app remembers."""
    return cast(State, current_app.extensions.setdefault("sso", State()))
