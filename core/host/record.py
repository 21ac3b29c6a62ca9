"""What the host knows of one plugin in this process, and how far it got."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from core.engine import Event
from core.hooks import HookFailed

from .discovery import Found
from .manifest import Manifest

STEPS = (
    "discovered",
    "enabled",
    "validated",
    "imported",
    "configured",
    "registered",
    "mapped",
    "migrated",
    "activated",
)
"""The life of a plugin on its way to ``active``; a failure names the step it happened in."""

_LONGEST_REASON = 400


class Failure(Exception):
    """A step refused a plugin; the message is the reason, a sentence for an operator."""


@dataclass
class Offer:
    """What a plugin named in its ``register_*`` hooks."""

    blueprints: list[Any] = field(default_factory=list)
    events: list[type[Event]] = field(default_factory=list)
    handlers: list[tuple[Any, Callable[..., Any], dict[str, Any]]] = field(default_factory=list)
    jobs: list[tuple[str, Callable[..., Any], dict[str, Any]]] = field(default_factory=list)
    schedules: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    commands: list[Any] = field(default_factory=list)


@dataclass
class Record:
    """One plugin: found, wanted or not, and its state here.

    ``state`` is ``disabled``, ``loading``, ``active`` or ``failed``; ``step`` the last one entered.
    """

    found: Found
    enabled: bool = False
    decided_by: str = "default"
    """``file``, ``environment``, ``admin`` (a row), ``safe mode`` or ``default``."""
    state: str = "disabled"
    step: str = "discovered"
    reason: str | None = None
    module: ModuleType | None = None
    config: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    specs: ModuleType | None = None
    pending: list[str] = field(default_factory=list)
    """Revisions not yet applied to the database."""
    offer: Offer = field(default_factory=Offer)

    @property
    def name(self) -> str:
        return self.found.name

    @property
    def manifest(self) -> Manifest | None:
        return self.found.manifest

    @property
    def sound(self) -> Manifest:
        """Its manifest. Raises ``Failure`` where that cannot be read."""
        if self.found.manifest is None:
            raise Failure(self.found.fault or "has no manifest")
        return self.found.manifest

    @property
    def package(self) -> ModuleType:
        """Its imported package. Raises ``Failure`` before."""
        if self.module is None:
            raise Failure("has not been imported")
        return self.module

    @property
    def locked(self) -> bool:
        """Whether the operator's file or environment decides, and no admin can."""
        return self.decided_by in ("file", "environment")


def reason(fault: BaseException, folder: Path | None) -> str:
    """One sentence about ``fault``, with the line of the plugin's own code it came from."""
    if isinstance(fault, Failure):
        return str(fault)
    if isinstance(fault, HookFailed) and fault.__cause__ is not None:
        return f"{fault.hook}: {reason(fault.__cause__, folder)}"
    if isinstance(fault, SystemExit):
        text = f"called sys.exit({'' if fault.code is None else fault.code!r})"
    else:
        text = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
    if len(text) > _LONGEST_REASON:
        text = text[: _LONGEST_REASON - 1] + "…"
    place = _place(fault, folder)
    return f"{text} ({place})" if place else text


def _place(fault: BaseException, folder: Path | None) -> str | None:
    """``routes.py:12``: the innermost frame of the traceback that is the plugin's."""
    if folder is None:
        return None
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        path = Path(frame.filename)
        if path.is_relative_to(folder):
            return f"{path.relative_to(folder)}:{frame.lineno}"
    return None
