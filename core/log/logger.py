"""Who writes the lines, and where they go."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING

from .lines import FIELDS, ConsoleLine, JsonLine

if TYPE_CHECKING:
    from core.config import Log

_STDERR = 2
# Libraries whose everyday talk says nothing that a line of ours does not say better.
_QUIET = ("alembic", "httpcore", "httpx", "rq", "werkzeug")

ExcInfo = (
    bool
    | BaseException
    | tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
    | None
)


class Logger:
    """A message in plain words and what belongs to it by name; see ``get_logger``.

    ``exc_info=True``, or an exception, adds the trace. A field is masked where its name says that it
    is a secret (``password``, ``api_key``, ``token``) or its value looks like one.
    """

    __slots__ = ("_logger",)

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, /, *, exc_info: ExcInfo = None, **fields: object) -> None:
        """For somebody who looks for a fault."""
        self._log(logging.DEBUG, message, exc_info, fields)

    def info(self, message: str, /, *, exc_info: ExcInfo = None, **fields: object) -> None:
        """Something happened as it should."""
        self._log(logging.INFO, message, exc_info, fields)

    def warning(self, message: str, /, *, exc_info: ExcInfo = None, **fields: object) -> None:
        """Something the operator should look at some time."""
        self._log(logging.WARNING, message, exc_info, fields)

    def error(self, message: str, /, *, exc_info: ExcInfo = None, **fields: object) -> None:
        """Something was not done that should have been."""
        self._log(logging.ERROR, message, exc_info, fields)

    def exception(self, message: str, /, **fields: object) -> None:
        """``error`` with the trace of the exception being handled."""
        self._log(logging.ERROR, message, True, fields)

    def _log(self, level: int, message: str, exc_info: ExcInfo, fields: dict[str, object]) -> None:
        if not self._logger.isEnabledFor(level):
            return
        if exc_info is True:
            exc_info = sys.exc_info()
        elif isinstance(exc_info, BaseException):
            exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
        # Made here because logging would look up file and line of the caller, which nobody reads.
        record = logging.LogRecord(self._logger.name, level, "", 0, message, None, exc_info or None)
        record.__dict__[FIELDS] = fields
        self._logger.handle(record)


def get_logger(name: str) -> Logger:
    """The logger called ``name``; give ``__name__``, and a plugin's lines carry its name."""
    return Logger(name)


def init(config: Log, *, descriptor: int = _STDERR) -> None:
    """Send every line of this process to ``descriptor`` (standard error), as ``[log]`` says."""
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _Writer)]:
        root.removeHandler(handler)
    writer = _Writer(descriptor)
    people = config.format == "console" or (config.format == "auto" and os.isatty(descriptor))
    writer.setFormatter(ConsoleLine() if people else JsonLine())
    root.addHandler(writer)
    level = logging.getLevelNamesMapping()[config.level.upper()]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class _Writer(logging.Handler):
    """One ``write`` a line, so that lines of several processes do not run into each other."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
        except Exception as error:  # a value whose str() raises must not end what was being done
            line = f'{{"level": "error", "message": "a line could not be written: {type(error).__name__}"}}'
        left = memoryview(f"{line}\n".encode(errors="backslashreplace"))
        with contextlib.suppress(OSError):  # nobody reads any more: no reason to stop working
            while left:
                left = left[os.write(self._descriptor, left) :]
