"""What may be asked and done about plugins, over HTTP and on the command line alike."""

from __future__ import annotations

from typing import Any

from flask import current_app

from core.config import Config
from core.db import db
from core.engine import emit
from core.errors import Conflict, NotFound

from . import state
from .describe import brief, whole
from .events import PluginDisabled, PluginEnabled
from .record import Failure, Record
from .registry import Host, host


def every() -> list[dict[str, Any]]:
    """All plugins, by name."""
    wishes = state.wishes()
    return [_brief(record, wishes) for _, record in sorted(host().records.items())]


def one(name: str) -> dict[str, Any]:
    """One plugin with all it brings. Raises ``NotFound``."""
    record, wishes = _known(name), state.wishes()
    return whole(record, _brief(record, wishes), current_app)


def enable(name: str, *, cascade: bool = False) -> dict[str, Any]:
    """Have the plugin run from the next reload on.

    With ``cascade`` the plugins it requires too. Raises ``NotFound``; ``Conflict``
    ``managed_by_file``, ``broken`` (its manifest) or ``needs_plugins``, which names them.
    """
    record = _known(name)
    if record.manifest is None:
        raise Conflict(f"{name} cannot run: {record.found.fault}.", code="broken")
    needs = [needed for needed in host().needs(name) if not _wanted(host().records[needed])[0]]
    absent = [needed for needed in record.manifest.needs if needed not in host().records]
    if absent or (needs and not cascade):
        raise Conflict(
            f"{name} requires {', '.join([*absent, *needs])}.",
            code="needs_plugins",
            errors={"requires": [*absent, *needs]},
        )
    return _switch(record, [*needs, name], enabled=True)


def disable(name: str, *, cascade: bool = False) -> dict[str, Any]:
    """Have the plugin not run from the next reload on; its tables stay.

    With ``cascade`` the plugins that require it stop too. Raises ``NotFound``; ``Conflict``
    ``managed_by_file`` or ``has_dependants``, which names them.
    """
    record = _known(name)
    dependants = [other for other in host().dependants(name) if _wanted(host().records[other])[0]]
    if dependants and not cascade:
        raise Conflict(
            f"{', '.join(dependants)} would stop too; say cascade=true to stop them all.",
            code="has_dependants",
            errors={"dependants": dependants},
        )
    return _switch(record, [*dependants, name], enabled=False)


def _switch(record: Record, names: list[str], *, enabled: bool) -> dict[str, Any]:
    changed = [name for name in names if _needs_change(host().records[name], enabled)]
    for name in {*changed, record.name}:
        by = _wanted(host().records[name])[1]
        if by in ("file", "environment"):
            where = "plugins.toml" if by == "file" else "the environment"
            raise Conflict(
                f"{name} is switched in {where}, which wins; change it there.", code="managed_by_file"
            )
    for name in changed:
        generation = state.wish(name, enabled)
        emit(PluginEnabled(plugin=name) if enabled else PluginDisabled(plugin=name))
    if changed:
        config = _config()
        db.unit.after_commit.append(lambda: state.announce(config, generation))
    return _brief(record, state.wishes())


def _needs_change(record: Record, enabled: bool) -> bool:
    """Also true for a plugin that shall run and failed: asking again tries it again."""
    return _wanted(record)[0] != enabled or (enabled and record.state == "failed")


def _known(name: str) -> Record:
    record = host().records.get(name)
    if record is None:
        raise NotFound(f"There is no plugin {name}.")
    return record


def _wanted(record: Record, wishes: state.Wishes | None = None) -> tuple[bool, str]:
    try:
        return state.decide(record.found, _config(), host().environ, wishes or state.wishes())
    except Failure:
        return True, "file"


def _brief(record: Record, wishes: state.Wishes) -> dict[str, Any]:
    enabled, by = _wanted(record, wishes)
    return brief(record, enabled, by, _state(host(), record, enabled, wishes), host().dependants(record.name))


def _state(here: Host, record: Record, enabled: bool, wishes: state.Wishes) -> str:
    """``active``, ``failed`` or ``disabled``; ``enabling`` or ``disabling`` until processes have reloaded."""
    if here.safe_mode:
        return "disabled"
    if not enabled:
        return "disabling" if record.state == "active" else "disabled"
    _, since = wishes.rows.get(record.name, (False, 0))
    retried = record.state == "failed" and since > here.generation
    return "enabling" if record.state == "disabled" or retried else record.state


def _config() -> Config:
    config: Config = current_app.extensions["jobstead.config"]
    return config
