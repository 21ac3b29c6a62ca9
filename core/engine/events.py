"""What an event is: a past-tense fact as a frozen dataclass, and what a handler is told beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from inspect import get_annotations
from typing import ClassVar, Literal
from uuid import UUID

Scope = Literal["organisation", "instance"]

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_OURS = frozenset({"type", "version", "scope"})


class Event:
    """Base of all events; each is a frozen dataclass whose fields JSON can carry.

    ``class PostingCreated(Event, type="posting.created", version=1, scope="instance")``.
    ``scope="organisation"`` (the default) belongs to the organisation it was emitted in,
    ``"instance"`` to none. Raises ``TypeError`` for a malformed type or a field that is called
    ``type``, ``version`` or ``scope``.
    """

    type: ClassVar[str] = ""
    version: ClassVar[int] = 1
    scope: ClassVar[Scope] = "organisation"

    def __init_subclass__(cls, *, type: str = "", version: int = 1, scope: Scope = "organisation") -> None:
        super().__init_subclass__()
        if type and not _TYPE.fullmatch(type):
            raise TypeError(f"an event's type is like posting.created, not {type!r}")
        if scope not in ("organisation", "instance"):
            raise TypeError(f"{cls.__name__}: scope is organisation or instance, not {scope!r}")
        taken = _OURS & set(get_annotations(cls))
        if taken:
            raise TypeError(f"{cls.__name__}: a field cannot be called {', '.join(sorted(taken))}")
        cls.type, cls.version, cls.scope = type, version, scope


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler gets beside the event.

    ``id`` is the same at every attempt: the key by which an external effect is made idempotent.
    ``attempt`` begins at 1. ``actor`` is who caused the event, as ``user:<id>`` or ``system``.
    """

    id: UUID
    event_id: UUID
    attempt: int
    organisation_id: UUID | None
    actor: str
    occurred_at: datetime
