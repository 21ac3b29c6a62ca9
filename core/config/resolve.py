"""Settings of a schema from environment, file, the admin API and defaults, each with its source.

Core's own tables and the settings of plugins go the same way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from marshmallow import RAISE, Schema, ValidationError, fields, missing

from core.typed import SecretField

from . import secrets
from .describe import shown
from .errors import ConfigError, first, nearest, reason

FILE = "plugins.toml"
STORED = "admin API"
HARDENED = "hardened profile"
DEFAULT = "default"
Path = tuple[str, ...]


@dataclass(frozen=True)
class Resolved:
    """Settings as their schema loaded them.

    ``sources`` tells for every key (``smtp.host``) where it came from: ``environment SMTP_HOST``,
    ``plugins.toml``, ``admin API``, ``hardened profile`` or ``default``. ``locked`` are the keys that
    environment or file decide: the API answers 409 ``managed_by_file`` for them.
    """

    values: Any
    sources: dict[str, str]
    locked: frozenset[str]


def resolve(
    schema: Schema,
    *,
    prefix: Path,
    table: Mapping[str, Any],
    environ: Mapping[str, str],
    stored: Mapping[str, Any] | None = None,
    aliases: Mapping[str, Sequence[str]] | None = None,
    profile: str = "documents",
    file: str = FILE,
) -> Resolved:
    """Load ``schema``; each key has the first of environment, ``table`` of the file, ``stored``, default.

    ``prefix`` is where the table stands (``("plugins", "mail")``), which also names its variables:
    ``JOBSTEAD_PLUGINS__MAIL__SMTP__HOST``. Further variables are named by ``aliases`` (key to
    variables) or by ``aliases`` in a field's metadata; a secret may be in the file that
    ``<variable>_FILE`` names. An empty variable counts as unset. ``hardened`` in a field's metadata
    is its default under that profile. Raises ``ConfigError`` for an unknown key, naming the nearest
    known one, and for a value the schema refuses.
    """
    search = _Search(prefix, environ, aliases or {}, profile, file)
    search.refuse_unknown_variables(schema)
    given = search.table(schema, table, stored or {}, ())
    try:
        values = schema.load(given)
    except ValidationError as error:
        messages = error.messages
        search.explain(
            schema, given, *first(messages if isinstance(messages, dict) else {"_schema": messages})
        )
    decided = (DEFAULT, STORED, HARDENED)
    locked = frozenset(key for key, source in search.sources.items() if source not in decided)
    return Resolved(values, search.sources, locked)


@dataclass
class _Search:
    prefix: Path
    environ: Mapping[str, str]
    aliases: Mapping[str, Sequence[str]]
    profile: str
    file: str
    sources: dict[str, str] = field(default_factory=dict)

    def table(
        self, schema: Schema, table: Mapping[str, Any], stored: Mapping[str, Any], path: Path
    ) -> dict[str, Any]:
        """What is given for ``schema``, by the keys it loads; fills ``sources``."""
        known = _keys(schema)
        for key in table:
            if key not in known and schema.unknown == RAISE:
                raise ConfigError(f'{self._at(path)} has the unknown key "{key}": {nearest(key, known)}')
        given = {key: value for key, value in table.items() if key not in known}
        for key, each in known.items():
            inner = (*path, key)
            if isinstance(each, fields.Nested) and not each.many:
                value: Any = self.table(
                    each.schema, self._subtable(table, inner), _subtable(stored, key), inner
                )
                if value:
                    given[key] = value
                continue
            value, source = self._value(each, table, stored, inner)
            if value is not missing:
                given[key] = value
            self.sources[".".join(inner)] = source
        return given

    def _value(
        self, each: fields.Field[Any], table: Mapping[str, Any], stored: Mapping[str, Any], path: Path
    ) -> tuple[Any, str]:
        key, where = path[-1], self._in_file(path)
        for variable in self._variables(each, path):
            source = f"environment {variable}"
            if self.environ.get(variable, "").strip():
                return _read(each, self.environ[variable], variable), source
            if isinstance(each, SecretField) and (name := self.environ.get(f"{variable}_FILE")):
                return secrets.read(name, f"{variable}_FILE"), f"{source}_FILE"
        if key in table:
            return self._followed(each, table[key], where), self.file
        if key in stored:
            return stored[key], STORED
        if self.profile == "hardened" and "hardened" in each.metadata:
            return each.metadata["hardened"], HARDENED
        return missing, DEFAULT

    def _followed(self, each: fields.Field[Any], value: Any, where: str) -> Any:
        """``value`` with the secrets that it, or a table below a name of the operator's choice, points at."""
        if isinstance(each, SecretField):
            return secrets.follow(value, where, self.environ)
        inner = _named(each)
        if inner is None or not isinstance(value, Mapping):
            return value
        keys = _keys(inner)
        return {
            name: {
                key: self._followed(keys[key], part, f"{name}.{key} of {where}") if key in keys else part
                for key, part in table.items()
            }
            if isinstance(table, Mapping)
            else table
            for name, table in value.items()
        }

    def _variables(self, each: fields.Field[Any], path: Path) -> Iterator[str]:
        yield _variable((*self.prefix, *path))
        yield from self.aliases.get(".".join(path), ())
        yield from each.metadata.get("aliases", ())

    def _subtable(self, table: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
        inner = table.get(path[-1], {})
        if not isinstance(inner, Mapping):
            raise ConfigError(
                f"{self._in_file(path)} must be a table: write it as {self._at(path, near=False)}."
            )
        return inner

    def refuse_unknown_variables(self, schema: Schema) -> None:
        """A variable of ours that names no key is a slip, and would be silently without effect."""
        if not self.prefix:
            return
        start = f"{_variable(self.prefix)}__"
        known = set()
        for path, each in _leaves(schema):
            known.add(variable := _variable((*self.prefix, *path)))
            if isinstance(each, SecretField):
                known.add(f"{variable}_FILE")
        for variable in self.environ:
            if variable.startswith(start) and variable not in known:
                tail = variable.removeprefix(start)
                hint = nearest(tail, {name.removeprefix(start).lower() for name in known})
                raise ConfigError(f"environment {variable} names no setting: {hint}")

    def explain(self, schema: Schema, given: Mapping[str, Any], path: Path, message: str) -> NoReturn:
        """Raise for the value at ``path``, naming the place where somebody wrote it."""
        path, each, value = _walk(schema, given, path)
        above = (".".join(path[:depth]) for depth in range(len(path), 0, -1))
        known = next((key for key in above if key in self.sources), "")
        source = self.sources.get(known, DEFAULT)
        if message == "Missing data for required field.":
            key = path[-1] if path else ""
            # below names of the operator's choice no variable sets one key
            variable = f" or set {_variable((*self.prefix, *path))}" if known == ".".join(path) else ""
            raise ConfigError(f"{self._at(path[:-1])} needs {key}: write {key} = ... there{variable}.")
        hidden = isinstance(each, SecretField) or each is None or value is missing
        said = "" if hidden else f" = {_short(value)}"
        key = ".".join((*self.prefix, *path))
        if source.startswith("environment "):
            where = f"{source}{said}"
        else:
            where = f"{key}{said} {'from the admin API' if source == STORED else f'in {self.file}'}"
        raise ConfigError(f"{where} {reason(message)}.") from None

    def _in_file(self, path: Path) -> str:
        return f"{'.'.join((*self.prefix, *path))} in {self.file}"

    def _at(self, path: Path, *, near: bool = True) -> str:
        name = ".".join((*self.prefix, *path))
        table = f"[{name}]" if name else "the top"
        return f"{table} in {self.file}" if near and name else f"{self.file}" if near else table


def _variable(path: Path) -> str:
    return "JOBSTEAD_" + "__".join(path).upper()


def _keys(schema: Schema) -> dict[str, fields.Field[Any]]:
    return {each.data_key or name: each for name, each in schema.load_fields.items()}


def _leaves(schema: Schema, path: Path = ()) -> Iterator[tuple[Path, fields.Field[Any]]]:
    for key, each in _keys(schema).items():
        if isinstance(each, fields.Nested) and not each.many:
            yield from _leaves(each.schema, (*path, key))
        else:
            yield (*path, key), each


def _subtable(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    inner = table.get(key, {})
    return inner if isinstance(inner, Mapping) else {}


def _walk(schema: Schema, given: Mapping[str, Any], path: Path) -> tuple[Path, fields.Field[Any] | None, Any]:
    """As much of ``path`` as is keys (an index into a list is none), the field there and its value."""
    each: fields.Field[Any] | None = None
    value: Any = given
    for depth, key in enumerate(path):
        each = _keys(schema).get(key)
        value = value.get(key, missing) if isinstance(value, Mapping) else missing
        tables = _named(each)
        if tables is not None and depth + 1 < len(path):
            here, rest = path[: depth + 2], path[depth + 3 :]  # between them "value" or "key"
            inner = value.get(here[-1], missing) if isinstance(value, Mapping) else missing
            if not rest or not isinstance(inner, Mapping):
                return here, None, missing
            below, each, value = _walk(tables, inner, rest)
            return here + below, each, value
        if not isinstance(each, fields.Nested) or each.many:
            return path[: depth + 1], each, value
        schema = each.schema
    return path, None, missing


def _named(each: fields.Field[Any] | None) -> Schema | None:
    """The schema of tables below names of the operator's choice; ``None`` for any other field."""
    inner = each.value_field if isinstance(each, fields.Dict) else None
    return inner.schema if isinstance(inner, fields.Nested) and not inner.many else None


def _read(each: fields.Field[Any], text: str, variable: str) -> Any:
    """A variable's ``text`` as the field wants it: lists with commas or as JSON, tables as JSON."""
    if isinstance(each, SecretField):
        return text
    text = text.strip()
    if isinstance(each, fields.Number):
        return _number(text)
    if isinstance(each, fields.List) and not text.startswith("["):
        parts = text.split(each.metadata.get("separator", ","))
        return [part.strip() for part in parts if part.strip()]
    if isinstance(each, fields.List | fields.Dict | fields.Nested):
        try:
            return json.loads(text)
        except ValueError:
            raise ConfigError(f"environment {variable} must be written as JSON.") from None
    return text


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _short(value: Any) -> str:
    text = json.dumps(shown(value) if isinstance(value, str) else value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
