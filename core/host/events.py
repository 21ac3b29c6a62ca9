"""Facts about the plugins of the instance."""

from __future__ import annotations

from dataclasses import dataclass

from core.engine import Event


@dataclass(frozen=True)
class PluginEnabled(
    Event, type="plugin.enabled", version=1, scope="instance", target=("plugin", "plugin"), audited=()
):
    """A plugin shall run on the instance; it does once processes have reloaded."""

    plugin: str


@dataclass(frozen=True)
class PluginDisabled(
    Event, type="plugin.disabled", version=1, scope="instance", target=("plugin", "plugin"), audited=()
):
    """A plugin shall not run any more. Its data stays."""

    plugin: str


EVENTS: tuple[type[Event], ...] = (PluginEnabled, PluginDisabled)
