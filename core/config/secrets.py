"""Secrets that the file only points at: ``{env = "VARIABLE"}`` and ``{file = "path"}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.typed import Secret

from .errors import ConfigError
from .root import anchored


def follow(value: Any, where: str, environ: Mapping[str, str]) -> Any:
    """The secret that ``value`` points at; anything but a pointer comes back as it is.

    ``where`` names the key in errors. Raises ``ConfigError``.
    """
    if not isinstance(value, Mapping):
        return value
    match dict(value):
        case {"env": str(variable), **rest} if not rest:
            return _from_environment(variable, where, environ)
        case {"file": str(path), **rest} if not rest:
            return read(path, where)
    raise ConfigError(
        f'{where} must be a text in quotes, {{ env = "VARIABLE" }} or {{ file = "/path/to/file" }}.'
    )


def _from_environment(variable: str, where: str, environ: Mapping[str, str]) -> Secret:
    if value := environ.get(variable):
        return Secret(value)
    raise ConfigError(
        f"{where} is to come from the environment variable {variable}, which is not set: set it."
    )


def read(path: str, where: str) -> Secret:
    """The content of a file that its owner alone can read, without the line end. Raises ``ConfigError``."""
    file = anchored(path)
    try:
        with file.open(encoding="utf-8") as stream:
            mode = file.stat().st_mode
            if mode & 0o077:
                raise ConfigError(f"{where} is in {file}, which others may read: run chmod 600 {file}.")
            value = stream.read().rstrip("\r\n")
    except OSError as error:
        raise ConfigError(
            f"{where} is to come from {file}, which cannot be read ({error.strerror}): put the secret there."
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(f"{where} is to come from {file}, which is not a text in UTF-8.") from None
    if not value:
        raise ConfigError(f"{where} is to come from {file}, which is empty: put the secret there.")
    return Secret(value)
