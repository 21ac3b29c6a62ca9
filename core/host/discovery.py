"""Finding plugins: bundled, on ``PLUGIN_PATH``, installed. Nothing of theirs runs here."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from . import manifest
from .manifest import Manifest, ManifestError

GROUP = "jobstead.plugins"


@dataclass(frozen=True)
class Found:
    """A plugin on this machine, with its manifest or with what is wrong with it."""

    name: str
    origin: str
    """``bundled``, ``path`` (a folder on PLUGIN_PATH) or ``installed`` (a distribution)."""
    package: str
    """The module to import."""
    folder: Path | None
    manifest: Manifest | None = None
    fault: str | None = None


def discover(bundled: Path, path: Iterable[Path] = ()) -> tuple[list[Found], list[str]]:
    """Every plugin here, bundled ones first, and a sentence for each that a namesake hides."""
    plugins: dict[str, Found] = {}
    hidden = []
    for found in (*_folders(bundled, "bundled"), *_on_path(path), *_installed()):
        first = plugins.setdefault(found.name, found)
        if first is not found:
            hidden.append(
                f"{found.folder or found.package}: hidden by the {first.origin} plugin {found.name}"
            )
    return list(plugins.values()), hidden


def _on_path(path: Iterable[Path]) -> Iterator[Found]:
    for entry in path:
        if (entry / manifest.FILE).is_file():
            yield _look(entry, "path")
        elif entry.is_dir():
            yield from _folders(entry, "path")
        else:
            yield Found(
                entry.name, "path", f"plugins.{entry.name}", entry, fault=f"PLUGIN_PATH: no folder {entry}"
            )


def _folders(parent: Path, origin: str) -> Iterator[Found]:
    for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
        if (folder / manifest.FILE).is_file() and not folder.name.startswith("."):
            yield _look(folder, origin)


def _look(folder: Path, origin: str) -> Found:
    package = f"plugins.{folder.name}"
    try:
        read = manifest.read(folder)
        if read.name != folder.name:
            raise ManifestError(f"name {read.name!r} must be the folder's, {folder.name!r}")
    except ManifestError as fault:
        return Found(folder.name, origin, package, folder, fault=str(fault))
    return Found(read.name, origin, package, folder, read)


def _installed() -> Iterator[Found]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            yield _behind(point)
        except ManifestError as fault:
            yield Found(point.name, "installed", point.value, None, fault=str(fault))


def _behind(point: EntryPoint) -> Found:
    package = point.value
    if "." in package or ":" in package:
        raise ManifestError(f"entry point {point.name} = {package}: must name a top-level package")
    spec = importlib.util.find_spec(package)  # top level: looks the package up and runs nothing
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise ManifestError(f"entry point {point.name}: there is no package {package}")
    folder = Path(places[0])
    read = manifest.read(folder)
    if read.name != point.name:
        raise ManifestError(f"name {read.name!r} must be the entry point's, {point.name!r}")
    return Found(read.name, "installed", package, folder, read)
