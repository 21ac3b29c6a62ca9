"""Mails as files: what a development machine and a first try need, and nothing to set up."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from plugins.mail.transport import Deferred, Outgoing


class FileTransport:
    """Writes ``<folder>/<key>.eml``, readable by its owner alone.

    A mail may hold a sign-in code: the folder is 0700 and each file 0600. The name is the mail's
    key, so a second attempt replaces the file; it appears whole or not at all.
    """

    name = "file"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def deliver(self, mail: Outgoing) -> str:
        """Write the file and answer its path."""
        target = self._folder / f"{mail.key}.eml"
        try:
            self._prepare()
            _replace(target, mail.message.as_bytes())
        except OSError as fault:
            raise Deferred(f"cannot write {target}: {fault.strerror}") from fault
        return str(target)

    def check(self) -> None:
        """The folder can be written to."""
        try:
            self._prepare()
        except OSError as fault:
            raise Deferred(f"cannot use {self._folder}: {fault.strerror}") from fault
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise Deferred(f"cannot write to {self._folder}")

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _replace(target: Path, content: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")  # 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
