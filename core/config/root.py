"""Where things lie: relative paths mean the checkout, whatever the working directory is."""

from __future__ import annotations

from pathlib import Path

import core

ROOT = Path(core.__file__).resolve().parent.parent
"""The checkout: the folder that holds ``core/``, ``plugins/`` and ``plugins.toml``."""


def anchored(path: str | Path) -> Path:
    """``path`` as an absolute one; ``~`` is the home directory, a relative path starts at the checkout."""
    return ROOT / Path(path).expanduser()
