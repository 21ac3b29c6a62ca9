"""``plugin.toml``: what a plugin says about itself, read without importing it.

    name = "bookmarks"            # = folder of a bundled plugin = prefix of its tables and permissions
    version = "1.0.0"             # PEP 440
    api = ">=1,<2"                # range of the hook API (core.hookspecs.API_VERSION), never of the app
    summary = "Keep any posting."
    category = "career"
    urls = ["bookmarks"]          # paths it owns below /api/v1, admin/ and hooks/inbound/ (core.host.urls)
    scope = "tenant"              # or "instance": not switched by organisations
    default = "on"                # for organisations, once the instance has it: "on" or "off"
    requires = ["job_boards"]     # plugins it cannot do without, each with an optional range
    after = ["notifications"]     # plugins to load first where they are there
    python = ["feedparser>=6"]    # distributions checked before import

    [permissions]
    "bookmarks.bookmark.read" = { summary = "See own bookmarks", roles = ["user"] }

    [capabilities]
    hosts = ["boards.example.com"]
    secrets = ["api_key"]

``name``, ``version``, ``api`` and ``summary`` are needed, the rest has defaults.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

FILE = "plugin.toml"
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_SEGMENT = r"[a-z0-9]+(-[a-z0-9]+)*"
URL = re.compile(rf"{_SEGMENT}(/({_SEGMENT}|\*))*")
RESERVED = frozenset({"core", "plugins", "alembic", "jobstead"})
_LONGEST_NAME = 40  # leaves room for table names within PostgreSQL's 63 bytes


class ManifestError(Exception):
    """One sentence that names the key and says what it must be."""


@dataclass(frozen=True)
class PermissionSpec:
    """A right as the manifest declares it; see ``core.access.Permission`` for ``roles``."""

    name: str
    summary: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """A valid ``plugin.toml``."""

    name: str
    version: str
    api: SpecifierSet
    summary: str
    category: str = "other"
    urls: tuple[str, ...] = ()
    scope: str = "tenant"
    default: str = "on"
    requires: tuple[Requirement, ...] = ()
    after: tuple[str, ...] = ()
    python: tuple[Requirement, ...] = ()
    permissions: tuple[PermissionSpec, ...] = ()
    capabilities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the plugins it cannot do without."""
        return tuple(requirement.name for requirement in self.requires)


def read(folder: Path) -> Manifest:
    """The manifest of the plugin in ``folder``. Raises ``ManifestError``."""
    path = folder / FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(f"{FILE} is missing in {folder}") from None
    except OSError as fault:
        raise ManifestError(f"{FILE} cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ManifestError(f"{FILE} is not valid TOML: {fault}") from fault
    return parse(table)


def parse(table: Mapping[str, Any]) -> Manifest:
    """A manifest of the parsed file. Raises ``ManifestError``."""
    keys = set(Manifest.__dataclass_fields__)
    for key in sorted(set(table) - keys):
        near = get_close_matches(key, keys, n=1)
        raise ManifestError(f"unknown key {key!r}" + (f", did you mean {near[0]!r}?" if near else ""))
    name = _name(table)
    return Manifest(
        name=name,
        version=str(_convert(table, "version", Version, InvalidVersion, needed=True)),
        api=_convert(table, "api", SpecifierSet, InvalidSpecifier, needed=True),
        summary=_text(table, "summary", needed=True),
        category=_text(table, "category") or "other",
        urls=_matching(table, "urls", URL, "a path such as job-postings, or auth/mfa"),
        scope=_one_of(table, "scope", ("tenant", "instance")),
        default=_one_of(table, "default", ("on", "off")),
        requires=_requirements(table, "requires"),
        after=_matching(table, "after", NAME, "a plugin's name"),
        python=_requirements(table, "python"),
        permissions=tuple(_permissions(name, table.get("permissions", {}))),
        capabilities=_capabilities(table.get("capabilities", {})),
    )


def _name(table: Mapping[str, Any]) -> str:
    name = _text(table, "name", needed=True)
    if not NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise ManifestError(f"name {name!r} must be lower_snake_case, at most {_LONGEST_NAME} characters")
    if name in RESERVED:
        raise ManifestError(f"name {name!r} is reserved")
    return name


def _text(table: Mapping[str, Any], key: str, *, needed: bool = False) -> str:
    value = table.get(key, "")
    if not isinstance(value, str) or (needed and not value.strip()):
        raise ManifestError(f"{key} must be a text" + (" and is needed" if needed else ""))
    return value.strip()


def _convert(
    table: Mapping[str, Any], key: str, kind: Callable[[str], Any], refusal: type[Exception], *, needed: bool
) -> Any:
    text = _text(table, key, needed=needed)
    try:
        return kind(text)
    except refusal as fault:
        raise ManifestError(f"{key}: {fault}") from fault


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ManifestError(f"{key} must be a list of texts")
    if len(set(value)) != len(value):
        raise ManifestError(f"{key} names something twice")
    return tuple(value)


def _matching(table: Mapping[str, Any], key: str, pattern: re.Pattern[str], shape: str) -> tuple[str, ...]:
    values = _texts(table, key)
    for value in values:
        if not pattern.fullmatch(value):
            raise ManifestError(f"{key}: {value!r} is not {shape}")
    return values


def _one_of(table: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> str:
    value = table.get(key, choices[0])
    if value not in choices:
        raise ManifestError(f"{key} must be one of {', '.join(choices)}")
    return str(value)


def _requirements(table: Mapping[str, Any], key: str) -> tuple[Requirement, ...]:
    found = []
    for text in _texts(table, key):
        try:
            found.append(Requirement(text))
        except InvalidRequirement as fault:
            raise ManifestError(f"{key}: {text!r}: {str(fault).splitlines()[0]}") from fault
    return tuple(found)


def _permissions(plugin: str, table: Any, prefix: str = "") -> list[PermissionSpec]:
    """Permissions written as ``"a.b.c" = {...}`` or as nested tables ``[permissions.a.b.c]``."""
    if not isinstance(table, Mapping):
        raise ManifestError("permissions must be a table")
    found = []
    for key, value in table.items():
        name = prefix + key
        if not isinstance(value, Mapping):
            raise ManifestError(f"permission {name} must be {{ summary = ..., roles = [...] }}")
        if not isinstance(value.get("summary"), str):
            found += _permissions(plugin, value, f"{name}.")
            continue
        if not re.fullmatch(rf"{plugin}(\.[a-z][a-z0-9_]*){{2}}", name):
            raise ManifestError(f"permission {name!r} must be {plugin}.<resource>.<verb>")
        if unknown := sorted(set(value) - {"summary", "roles"}):
            raise ManifestError(f"permission {name}: unknown key {unknown[0]!r}")
        found.append(PermissionSpec(name, value["summary"], _texts(value, "roles")))
    return found


def _capabilities(table: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, Mapping):
        raise ManifestError("capabilities must be a table")
    if unknown := sorted(set(table) - {"hosts", "secrets"}):
        raise ManifestError(f"capabilities: unknown key {unknown[0]!r}")
    return {key: _texts(table, key) for key in table}
