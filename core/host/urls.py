"""Whose URL is this? Entries of the manifests' ``urls``, and core's own routes, below the API.

An entry is a path of one or more segments that its plugin owns with everything below: ``notes``, or
``auth/mfa`` below a segment of core's. ``*`` stands for a variable segment: ``auth/*`` owns
``/auth/<provider>`` and what lies below, and never a path that somebody spells out.
"""

from __future__ import annotations

from collections.abc import Iterable

Segments = tuple[str, ...]

SHARED = ("admin/", "hooks/inbound/")
"""Below these every plugin owns its entries too, as it owns them below the API itself."""


def segments(path: str) -> Segments:
    """``notes/<uuid:id>/colours`` → ``("notes", "*", "colours")``.

    A variable that may hold slashes stays as it is: it is no single segment.
    """
    parts = path.strip("/").split("/")
    return tuple("*" if part.startswith("<") and not part.startswith("<path:") else part for part in parts)


def owned(path: str, entries: Iterable[str]) -> bool:
    """Whether the route ``path`` is one of ``entries`` or lies below one, there or below what is shared."""
    shared = next((prefix for prefix in SHARED if path.startswith(prefix)), "")
    route = segments(path.removeprefix(shared))
    return any(_covers(tuple(entry.split("/")), route) for entry in entries)


class Urls:
    """What belongs to whom, as plugins claim it one after the other."""

    def __init__(self, core: Iterable[str]) -> None:
        self._core = {segments(path) for path in core}
        self._claimed: dict[Segments, str] = {}

    def owner(self, entry: str) -> str | None:
        """Who has ``entry`` already, or something above or below it; ``None`` where it is free.

        Below what core spells out there is room for plugins, but for no route that core has.
        """
        wanted = tuple(entry.split("/"))
        if any(_covers(wanted, route) for route in self._core):
            return "core"
        for claimed, plugin in self._claimed.items():
            if _covers(claimed, wanted) or _covers(wanted, claimed):
                return plugin
        return None

    def claim(self, entries: Iterable[str], plugin: str) -> None:
        """Let ``plugin`` have ``entries``."""
        self._claimed.update({tuple(entry.split("/")): plugin for entry in entries})

    def release(self, plugin: str) -> None:
        """Take back whatever ``plugin`` claimed."""
        self._claimed = {entry: whose for entry, whose in self._claimed.items() if whose != plugin}


def _covers(upper: Segments, lower: Segments) -> bool:
    return lower[: len(upper)] == upper
