"""A configuration as an operator makes one: a file, and an environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import Config, load

Configure = Callable[..., Config]


@pytest.fixture
def configure(tmp_path: Path) -> Configure:
    """``configure(toml, **environment)``: what ``load`` makes of them; data is kept in ``tmp_path``."""

    def configured(toml: str = "", **environ: str) -> Config:
        file = tmp_path / "plugins.toml"
        file.write_text(toml)
        return load(file, {"JOBSTEAD_DATA": str(tmp_path / "data"), **environ})

    return configured
