"""Whether what lies here was prepared before, so that web need not wait for it to be done again.

Preparing still runs at every start: this is no proof. A database may have been put in the place of another.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from core.supervisor.settings import Settings

_MARK = "prepared"


def known(settings: Settings) -> bool:
    """Whether the last start from here prepared the same revisions under the same configuration."""
    try:
        return (settings.run_dir / _MARK).read_text() == _fingerprint(settings)
    except OSError:
        return False


def note(settings: Settings) -> None:
    """Remember that what lies here is prepared."""
    (settings.run_dir / _MARK).write_text(_fingerprint(settings))


def forget(settings: Settings) -> None:
    """Prepare first at the next start, whatever lies here."""
    (settings.run_dir / _MARK).unlink(missing_ok=True)


def _fingerprint(settings: Settings) -> str:
    return hashlib.sha256("\0".join(_facts(settings)).encode()).hexdigest()


def _facts(settings: Settings) -> Iterator[str]:
    """All that decides which migrations there are: settings, revision files, the configuration's text."""
    environ = settings.environ
    for name in sorted(environ):
        if name.startswith("JOBSTEAD_") or name in ("DATABASE_URL", "PLUGIN_PATH"):
            yield f"{name}={environ[name]}"
    outside = [Path(entry) for entry in environ.get("PLUGIN_PATH", "").split(os.pathsep) if entry]
    for folder in (settings.root, *outside):
        for file in sorted(folder.glob("*/migrations/*.py")) + sorted(folder.glob("*/*/migrations/*.py")):
            yield str(file)
    for file in sorted(settings.root.glob("migrations/versions/*.py")):
        yield str(file)
    try:
        yield Path(environ.get("JOBSTEAD_CONFIG") or settings.root / "plugins.toml").read_text(
            errors="replace"
        )
    except OSError:
        yield "no file"
