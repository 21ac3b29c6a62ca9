"""What a plugin asks for before it is imported: hook API, other plugins, distributions."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import Requirement

from core import hookspecs

from .manifest import Manifest


def unmet(wanted: Manifest, active: Mapping[str, Manifest], reasons: Mapping[str, str]) -> str | None:
    """One sentence for the first thing ``wanted`` misses, or ``None``.

    ``active`` are the plugins loaded before it; ``reasons`` says why another one is not among them.
    """
    if not wanted.api.contains(hookspecs.API_VERSION):
        return f"needs hook API {wanted.api}, this server offers {hookspecs.API_VERSION}"
    for requirement in wanted.requires:
        there = active.get(requirement.name)
        if there is None:
            return f"requires the plugin {requirement.name}, which {reasons[requirement.name]}"
        if not requirement.specifier.contains(there.version, prereleases=True):
            return f"requires {requirement}, here is {there.version}"
    for requirement in wanted.python:
        if (missing := _missing(requirement)) is not None:
            return missing
    return None


def _missing(requirement: Requirement) -> str | None:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    try:
        there = version(requirement.name)
    except PackageNotFoundError:
        return f"needs the Python package {requirement}, which is not installed"
    if not requirement.specifier.contains(there, prereleases=True):
        return f"needs the Python package {requirement}, installed is {there}"
    return None
