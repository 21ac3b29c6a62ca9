"""The host of one app: every plugin it knows of, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, current_app

from .record import Record

KEY = "jobstead.host"


@dataclass
class Host:
    """``records`` by name in loading order; ``generation`` is the one this process was started with;
    ``migrated`` becomes true once core's migrations are known to be applied, ``followed`` is the last
    generation that this process announced without having made it.
    """

    records: dict[str, Record] = field(default_factory=dict)
    generation: int = 0
    safe_mode: bool = False
    migrated: bool = False
    followed: int | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def active(self) -> list[Record]:
        """The plugins that run here, in loading order."""
        return [record for record in self.records.values() if record.state == "active"]

    def failed(self) -> list[Record]:
        """The plugins that should run and do not."""
        return [record for record in self.records.values() if record.state == "failed"]

    def dependants(self, name: str) -> list[str]:
        """Every plugin that requires ``name``, directly or through others."""
        found: set[str] = set()
        waiting = [name]
        while waiting:
            needed = waiting.pop()
            for record in self.records.values():
                if record.manifest and needed in record.manifest.needs and record.name not in found:
                    found.add(record.name)
                    waiting.append(record.name)
        return sorted(found - {name})

    def needs(self, name: str) -> list[str]:
        """Every plugin that ``name`` requires, directly or through others."""
        return sorted(other for other in self.records if name in self.dependants(other))


def host(app: Flask | None = None) -> Host:
    """The host of ``app``, or of the running one."""
    return cast(Host, (app or current_app).extensions[KEY])
