"""Reading the operator's file and environment once, at the start of a process."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.typed import schema_of

from . import tables
from .addresses import check_reachable, database_url, public_url
from .errors import ConfigError
from .names import refuse_unknown
from .resolve import resolve
from .root import anchored
from .tables import Config, Database, Instance

TABLES: Mapping[str, type[Any]] = {
    "server": tables.Server,
    "database": tables.Database,
    "redis": tables.Redis,
    "auth": tables.Auth,
    "bootstrap": tables.Bootstrap,
    "secrets": tables.Secrets,
    "outgoing": tables.Outgoing,
    "limits": tables.Limits,
    "log": tables.Log,
}
_HS256 = ("JWT_SECRET", "JWT_REFRESH_SECRET")


def load(path: Path | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration of this instance.

    ``path`` is the file; else ``JOBSTEAD_CONFIG`` names it, else it is ``plugins.toml`` of the
    checkout, which may be absent. ``environ`` is read once and not kept. Raises ``ConfigError``.
    """
    named = path or environ.get("JOBSTEAD_CONFIG") or None
    file = anchored(named or "plugins.toml")
    content = _read(file, needed=named is not None)
    refuse_unknown(content, environ, file.name, {name: schema_of(cls) for name, cls in TABLES.items()})

    warnings: list[str] = []
    reading = _Reading(content, _used(environ, warnings), file.name)
    top: Instance = reading.top()
    values = {name: reading.table(name, cls, top.profile) for name, cls in TABLES.items()}
    server = values["server"] = replace(values["server"], public_url=public_url(values["server"].public_url))
    check_reachable(server.host, server.public_url)
    if top.env == "production" and values["limits"].scale != 1:
        warnings.append("limits.scale (JOBSTEAD_LIMITS_SCALE) is for tests: unset it, or limits mean little.")
    data_dir = anchored(top.data_dir)
    values["database"] = Database(database_url(values["database"].url, data_dir))
    return Config(
        path=file,
        data_dir=data_dir,
        profile=top.profile,
        strict=top.strict,
        env=top.env,
        safe_mode=top.safe_mode,
        plugin_path=[anchored(folder) for folder in top.plugin_path],
        plugins=_plugins(content.get("plugins", {}), file.name),
        sources=reading.sources,
        warnings=tuple(warnings),
        **values,
    )


@dataclass
class _Reading:
    content: Mapping[str, Any]
    environ: Mapping[str, str]
    file: str
    sources: dict[str, str] = field(default_factory=dict)

    def top(self) -> Instance:
        """The keys above all tables."""
        outside = {key: self.content[key] for key in self.content if key not in (*TABLES, "plugins")}
        return self._resolve(Instance, (), outside, "documents")  # type: ignore[no-any-return]

    def table(self, name: str, cls: type[Any], profile: str) -> Any:
        """Table ``[name]`` as ``cls``."""
        given = self.content.get(name, {})
        if not isinstance(given, Mapping):
            raise ConfigError(f"{name} in {self.file} must be a table: write it as [{name}].")
        return self._resolve(cls, (name,), given, profile)

    def _resolve(
        self, cls: type[Any], prefix: tuple[str, ...], given: Mapping[str, Any], profile: str
    ) -> Any:
        found = resolve(
            schema_of(cls)(),
            prefix=prefix,
            table=given,
            environ=self.environ,
            profile=profile,
            file=self.file,
        )
        self.sources.update({".".join((*prefix, key)): source for key, source in found.sources.items()})
        return found.values


def _read(file: Path, *, needed: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not needed:
            return {}
        raise ConfigError(f"{file} is not there: create it, or let JOBSTEAD_CONFIG name another.") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read ({error.strerror}): let this user read it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML, correct it: {error}.") from None


def _used(environ: Mapping[str, str], warnings: list[str]) -> dict[str, str]:
    """``environ`` without what the documents' systems set and we cannot use; tells so in ``warnings``."""
    used = dict(environ)
    for name, value in environ.items():
        if name in (*Database.variables(), "JOBSTEAD_DATABASE__URL") and value.startswith("mongodb"):
            del used[name]
            warnings.append(
                f"{name} is ignored because it names a MongoDB: "
                "set DATABASE_URL=postgresql://user:password@host/name, or unset it to keep to SQLite."
            )
        elif name in _HS256 and value:
            warnings.append(
                f"{name} is ignored because tokens are signed with RS256 keys made here: unset it."
            )
    return used


def _plugins(raw: Any, file: str) -> dict[str, dict[str, Any]]:
    if not isinstance(raw, Mapping):
        raise ConfigError(f"plugins in {file} must be a table: write [plugins.mail] with its keys below.")
    for name, table in raw.items():
        if not isinstance(table, Mapping):
            raise ConfigError(
                f"plugins.{name} in {file} must be a table: write enabled = true below [plugins.{name}]."
            )
    return {name: dict(table) for name, table in raw.items()}
