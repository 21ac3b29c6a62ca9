"""Every plugin on this machine, in loading order, before anything of theirs has run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import core
from core.config import Config

from . import state
from .discovery import Found, discover
from .order import in_order
from .record import Failure

BUNDLED = Path(core.__file__).parent.parent / "plugins"


@dataclass(frozen=True)
class Inventory:
    """``found`` by name in loading order, after those that cannot be ordered: their manifest is wrong,
    or they require themselves in the end (``circles``)."""

    found: Mapping[str, Found]
    circles: Mapping[str, list[str]]
    hidden: list[str]

    @classmethod
    def of(cls, config: Config, bundled: Path = BUNDLED) -> Inventory:
        """Look around: bundled plugins, ``PLUGIN_PATH``, installed ones."""
        plugins, hidden = discover(bundled, config.plugin_path)
        by_name = {found.name: found for found in plugins}
        ordered, circles = in_order({f.name: f.manifest for f in plugins if f.manifest is not None})
        rest = sorted(set(by_name) - set(ordered))
        return cls({name: by_name[name] for name in (*rest, *ordered)}, circles, hidden)

    def wanted(self, config: Config, environ: Mapping[str, str], wishes: state.Wishes) -> list[str]:
        """Names of the plugins that shall run and could, in loading order."""
        return [
            name
            for name, found in self.found.items()
            if found.manifest is not None
            and name not in self.circles
            and not config.safe_mode
            and self._decided(found, config, environ, wishes)
        ]

    @staticmethod
    def _decided(found: Found, config: Config, environ: Mapping[str, str], wishes: state.Wishes) -> bool:
        try:
            return state.decide(found, config, environ, wishes)[0]
        except Failure:
            return False  # the loader says why
