"""Running a plugin's code for the first time, and taking it out again when it turns out broken.

A bundled plugin and a folder on ``PLUGIN_PATH`` are both imported as ``plugins.<name>``, an
installed one under its own top-level name. Models are imported with the package, so that the
mapping can be proved before anything is served.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from core import db

from .discovery import Found
from .record import Failure


def bring_in(found: Found) -> ModuleType:
    """Import ``found`` and its ``models``. Whatever its code raises comes through."""
    package = _package(found)
    if _has(package, "models"):
        importlib.import_module(f"{package.__name__}.models")
    return package


def submodule(package: ModuleType, name: str) -> ModuleType | None:
    """``<package>.<name>`` where there is one."""
    return importlib.import_module(f"{package.__name__}.{name}") if _has(package, name) else None


def throw_out(found: Found) -> None:
    """Forget a broken plugin's modules, mappers and tables, as if it had never been imported."""
    db.forget(found.name)
    inside = f"{found.package}."
    for name in [name for name in sys.modules if name == found.package or name.startswith(inside)]:
        del sys.modules[name]
    parent = sys.modules.get("plugins")
    if found.package == f"plugins.{found.name}" and parent is not None:
        vars(parent).pop(found.name, None)


def _package(found: Found) -> ModuleType:
    folder = found.folder
    if folder is None or not (folder / "__init__.py").is_file():
        raise Failure("has no __init__.py")
    known = sys.modules.get(found.package)
    if known is not None:
        if known.__file__ is not None and Path(known.__file__).parent.resolve() == folder.resolve():
            return known
        throw_out(found)  # a namesake from another folder, left by an earlier app of this process
    if found.origin == "installed":
        return importlib.import_module(found.package)
    return _from_folder(found.package, folder)


def _from_folder(name: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise Failure(f"cannot be imported from {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]  # as the import statement does; the caller throws the rest out
        raise
    parent, _, child = name.rpartition(".")
    setattr(importlib.import_module(parent), child, module)
    return module


def _has(package: ModuleType, name: str) -> bool:
    return importlib.util.find_spec(f"{package.__name__}.{name}") is not None
