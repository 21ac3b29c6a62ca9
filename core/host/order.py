"""The order of loading: every plugin after those it requires, else by name."""

from __future__ import annotations

from collections.abc import Mapping

from .manifest import Manifest


def in_order(manifests: Mapping[str, Manifest]) -> tuple[list[str], dict[str, list[str]]]:
    """Names in loading order, and those that cannot be ordered with the circle each is in.

    ``requires`` binds. ``after`` is a wish: one that would close a circle is passed over, and so is
    one for a plugin that is not there. Those who merely require a member of a circle are ordered
    (the loader fails them for the reason of the plugin they require).
    """
    needs = {name: {n for n in m.needs if n in manifests} for name, m in manifests.items()}
    circles = {name: circle for name in manifests if (circle := _circle(name, needs))}
    edges = {name: set(wanted - circles.keys()) for name, wanted in needs.items() if name not in circles}
    for name in sorted(edges):
        for earlier in manifests[name].after:
            if earlier in edges and not _reaches(earlier, name, edges):
                edges[name].add(earlier)
    ordered: list[str] = []
    waiting = set(edges)
    while waiting:
        ready = min(name for name in waiting if not edges[name] & waiting)
        ordered.append(ready)
        waiting.discard(ready)
    return ordered, circles


def _circle(start: str, needs: Mapping[str, set[str]]) -> list[str] | None:
    """The shortest way from ``start`` back to itself, or ``None``."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for step in sorted(needs[way[-1]]):
            if step == start:
                return [*way, start]
            if step not in seen:
                seen.add(step)
                ways.append([*way, step])
    return None


def _reaches(start: str, goal: str, edges: Mapping[str, set[str]]) -> bool:
    stack, seen = [start], set[str]()
    while stack:
        name = stack.pop()
        if name == goal:
            return True
        if name not in seen:
            seen.add(name)
            stack.extend(edges[name])
    return False
