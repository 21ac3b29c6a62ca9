"""What an event is: a past-tense fact as a frozen dataclass, and what a handler is told beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from inspect import get_annotations
from typing import Any, ClassVar, Literal
from uuid import UUID

Scope = Literal["organisation", "instance"]
Target = tuple[str, str | None]

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_OURS = frozenset({"type", "version", "scope", "target", "audited"})

AUDITED = "*audited"
"""In the place of event types, when subscribing: every type that is declared with ``audited``."""


class Event:
    """Base of all events; each is a frozen dataclass whose fields JSON can carry.

    ``class PostingCreated(Event, type="posting.created", version=1, scope="instance")``.
    ``scope="organisation"`` (the default) belongs to the organisation it was emitted in,
    ``"instance"`` to none.

    ``target=("posting", "posting_id")`` says what it happened to: a kind of thing and the field that
    names it; ``target=("organisation", None)`` the organisation it was emitted in.
    ``audited=("title",)`` has it kept for good in the audit log, where there is one, with these fields
    of it: no secrets, and of people nothing but ids. ``()`` keeps none of them. It needs a target.

    Raises ``TypeError`` for a malformed type, a field that is called as one of these, and for a
    target or an audited field that is no field.
    """

    type: ClassVar[str] = ""
    version: ClassVar[int] = 1
    scope: ClassVar[Scope] = "organisation"
    target: ClassVar[Target | None] = None
    audited: ClassVar[tuple[str, ...] | None] = None

    def __init_subclass__(
        cls,
        *,
        type: str = "",
        version: int = 1,
        scope: Scope = "organisation",
        target: Target | None = None,
        audited: tuple[str, ...] | None = None,
    ) -> None:
        super().__init_subclass__()
        if type and not _TYPE.fullmatch(type):
            raise TypeError(f"an event's type is like posting.created, not {type!r}")
        if scope not in ("organisation", "instance"):
            raise TypeError(f"{cls.__name__}: scope is organisation or instance, not {scope!r}")
        taken = _OURS & set(get_annotations(cls))
        if taken:
            raise TypeError(f"{cls.__name__}: a field cannot be called {', '.join(sorted(taken))}")
        _check_names(cls, target, audited)
        cls.type, cls.version, cls.scope = type, version, scope
        cls.target, cls.audited = target, audited


def _check_names(cls: type[Event], target: Target | None, audited: tuple[str, ...] | None) -> None:
    if audited is not None and target is None:
        raise TypeError(f"{cls.__name__}: what is audited names its target")
    named = {*(audited or ()), *([target[1]] if target and target[1] else ())}
    fields = {name for base in cls.__mro__ if base is not Event for name in get_annotations(base)}
    if unknown := named - fields:
        raise TypeError(f"{cls.__name__} has no field {', '.join(sorted(unknown))}")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler gets beside the event.

    ``id`` is the same at every attempt: the key by which an external effect is made idempotent.
    ``attempt`` begins at 1. ``actor`` is who caused the event, as ``user:<id>`` or ``system``;
    ``request_id`` and ``ip`` are of the request it was emitted in, ``None`` where it was none.
    """

    id: UUID
    event_id: UUID
    attempt: int
    organisation_id: UUID | None
    actor: str
    occurred_at: datetime
    request_id: str | None = None
    ip: str | None = None


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """What an audit log keeps of an event: what it happened to, and its audited fields as JSON has them."""

    action: str
    target_type: str
    target_id: str | None
    data: dict[str, Any]
