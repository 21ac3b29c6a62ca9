"""What notes ask of others."""

from __future__ import annotations

from core.api import hookspec


@hookspec
def sample_colours():
    """Names of colours a note may have: a list of texts."""
