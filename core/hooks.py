"""Calling plugins: one implementation at a time, each fault kept to its plugin.

pluggy stops a call at the first implementation that raises. Here every implementation is called
on its own, so that one plugin's mistake (an exception, or a ``sys.exit``) never silences another.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import pluggy
from flask import current_app

from . import context
from .log import get_logger
from .switch import active

log = get_logger(__name__)

hookspec = pluggy.HookspecMarker("jobstead")
hookimpl = pluggy.HookimplMarker("jobstead")

_FAULTS_IN_A_ROW = 3
_SUSPENDED_FOR = 60.0  # seconds


class HookFailed(Exception):
    """A plugin's implementation of a hook raised; the cause is chained."""

    def __init__(self, plugin: str, hook: str, cause: BaseException) -> None:
        super().__init__(f"{plugin}: {hook} raised {type(cause).__name__}: {cause}")
        self.plugin = plugin
        self.hook = hook


@dataclass
class Faults:
    """What a plugin's implementation of one hook did wrong of late."""

    in_a_row: int = 0
    total: int = 0
    last: str = ""
    suspended_until: float = 0.0


class Hooks:
    """The plugin manager of one app object."""

    def __init__(self, *specs: ModuleType) -> None:
        self._manager = pluggy.PluginManager("jobstead")
        self.faults: dict[tuple[str, str], Faults] = {}
        for spec in specs:
            self._manager.add_hookspecs(spec)

    def add_specs(self, module: ModuleType) -> None:
        """Add the hooks that a plugin offers to others. Raises ``ValueError``, and adds none, for one
        that somebody offers already."""
        for name in self._offered(module):
            caller = getattr(self._manager.hook, name, None)
            if caller is not None and caller.has_spec():
                raise ValueError(f"the hook {name} exists already")
        self._manager.add_hookspecs(module)

    def remove_specs(self, module: ModuleType) -> None:
        """Take back the hooks that a plugin offered, with whatever implemented them."""
        for name in self._offered(module):
            vars(self._manager.hook).pop(name, None)

    def _offered(self, module: ModuleType) -> list[str]:
        return [name for name in dir(module) if self._manager.parse_hookspec_opts(module, name) is not None]

    def register(self, plugin: str, module: object) -> None:
        """Take ``module``'s implementations on. Raises when one does not fit its hook."""
        self._manager.register(module, name=plugin)

    def unregister(self, plugin: str) -> None:
        """Let go of ``plugin``; no error when it was never taken on."""
        if self._manager.has_plugin(plugin):
            self._manager.unregister(name=plugin)

    def check_pending(self) -> None:
        """Raise ``pluggy.PluginValidationError`` for an implementation of a hook nobody has."""
        self._manager.check_pending()

    def implemented_by(self, plugin: str) -> list[str]:
        """The names of the hooks ``plugin`` implements."""
        module = self._manager.get_plugin(plugin)
        callers = self._manager.get_hookcallers(module) if module is not None else None
        return sorted(caller.name for caller in callers or ())

    def of(self, plugin: str, hook: str, **arguments: object) -> list[Any]:
        """Call ``plugin``'s implementations of ``hook`` alone. Raises ``HookFailed``."""
        results = []
        for impl in self._implementations(hook):
            if impl.plugin_name == plugin:
                try:
                    results.append(_call(impl, arguments))
                except (Exception, SystemExit) as fault:
                    raise HookFailed(plugin, hook, fault) from fault
        return results

    def each(self, hook: str, **arguments: object) -> list[tuple[str, Any]]:
        """Call every active plugin's implementation; a fault is logged and left out.

        Returns ``(plugin, result)`` pairs in calling order, without ``None`` results.
        """
        return [(plugin, result) for plugin, result in self._results(hook, arguments) if result is not None]

    def all(self, hook: str, **arguments: object) -> list[tuple[str, Any]]:
        """What every plugin says that runs on this instance, whichever organisation is acted for.

        For questions that must not go unanswered: the first fault is raised as ``HookFailed``, nobody
        is passed over for earlier ones. Returns ``(plugin, result)`` pairs without ``None`` results.
        """
        return list(self._answers(hook, arguments))

    def decided(self, hook: str, **arguments: object) -> tuple[str, Any] | None:
        """Who first says anything of those that ``all`` asks, and what; nobody is asked after that.

        A fault before it is raised as ``HookFailed``.
        """
        return next(self._answers(hook, arguments), None)

    def _answers(self, hook: str, arguments: dict[str, object]) -> Iterator[tuple[str, Any]]:
        for impl in self._implementations(hook):
            if active(impl.plugin_name):
                try:
                    result = _call(impl, arguments)
                except (Exception, SystemExit) as fault:
                    raise HookFailed(impl.plugin_name, hook, fault) from fault
                if result is not None:
                    yield impl.plugin_name, result

    def first(self, hook: str, **arguments: object) -> Any | None:
        """The first result that is not ``None``, or ``None``; a fault is logged and passed over."""
        for _plugin, result in self._results(hook, arguments):
            if result is not None:
                return result
        return None

    def _results(self, hook: str, arguments: dict[str, object]) -> Iterator[tuple[str, Any]]:
        organisation = context.organisation_id()
        for impl in self._implementations(hook):
            plugin = impl.plugin_name
            if not active(plugin, organisation):
                continue
            faults = self.faults.get((plugin, hook))
            if faults is not None and time.monotonic() < faults.suspended_until:
                continue
            try:
                result = _call(impl, arguments)
            except (Exception, SystemExit) as fault:
                self._record(plugin, hook, fault)
                continue
            if faults is not None:
                faults.in_a_row = 0
            yield plugin, result

    def _implementations(self, hook: str) -> list[pluggy.HookImpl]:
        caller = getattr(self._manager.hook, hook, None)
        found = caller.get_hookimpls() if caller is not None else []
        # in the order plugins were loaded, not pluggy's last one first
        return sorted(found, key=lambda impl: (not impl.tryfirst, impl.trylast))

    def _record(self, plugin: str, hook: str, fault: BaseException) -> None:
        faults = self.faults.setdefault((plugin, hook), Faults())
        faults.in_a_row += 1
        faults.total += 1
        faults.last = f"{type(fault).__name__}: {fault}"
        if faults.in_a_row >= _FAULTS_IN_A_ROW:
            faults.in_a_row = 0
            faults.suspended_until = time.monotonic() + _SUSPENDED_FOR
        log.error("hook failed", plugin=plugin, hook=hook, error=faults.last)


def _call(impl: pluggy.HookImpl, arguments: dict[str, object]) -> Any:
    if "config" in impl.argnames and "config" not in arguments:
        settings = current_app.extensions["jobstead.settings"]
        arguments = {**arguments, "config": settings.get(impl.plugin_name, {})}
    return impl.function(*(arguments[name] for name in impl.argnames))


def hooks() -> Hooks:
    """The hooks of the running app."""
    return cast(Hooks, current_app.extensions["jobstead.hooks"])
