"""The hook that this plugin offers to others."""

from __future__ import annotations

from core.api import hookspec

from .api import Provider


@hookspec
def job_sources() -> list[Provider]:  # type: ignore[empty-body]
    """Providers of job postings.

    When: before each fetch, for lists of sources, and when a file is read by ``jobstead ingest``.
    Result: providers whose ``name`` is theirs alone; of two with one name the first is kept and
    the other logged. Give a provider without ``feeds`` where the operator switched it off.
    It must not touch the network. A raise is logged, and the plugin's providers are missing until
    it is mended; what they brought stays stored.
    """
