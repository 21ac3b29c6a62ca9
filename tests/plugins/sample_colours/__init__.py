"""Colours for notes, through the hook that the sample plugin offers."""

from __future__ import annotations

from core.api import hookimpl


@hookimpl
def sample_colours():
    return ["red", "green"]
