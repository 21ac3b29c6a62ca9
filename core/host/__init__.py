"""The plugin host: finds plugins, loads them in order, and keeps a broken one from everybody else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from core.access import Permissions
from core.config import Config
from core.engine import register_events
from core.web import Server, add_fact

from . import health, models, state
from .activation import COMMANDS
from .events import EVENTS
from .inventory import BUNDLED, Inventory
from .loading import Loader, RefusedError
from .registry import KEY, Host, host
from .routes import blp
from .settings import settings

__all__ = [
    "Host",
    "RefusedError",
    "active_plugins",
    "host",
    "init_app",
    "models",
    "settings",
    "state",
]


def init_app(
    app: Server, config: Config, *, environ: Mapping[str, str] | None = None, bundled: Path = BUNDLED
) -> None:
    """Serve ``/plugins`` and load what is enabled.

    A plugin's fault ends in its record, never in a raise, but for ``RefusedError`` when
    ``config.strict``. ``environ`` is this process's where not given.
    """
    environ = os.environ if environ is None else environ
    declared: Permissions = app.extensions["jobstead.permissions"]
    declared.add("core.plugins.read", plugin="core", summary="See plugins and their state", roles=("admin",))
    declared.add("core.plugins.manage", plugin="core", summary="Switch plugins for the instance")
    app.mount(blp)
    register_events(app, "core", EVENTS)
    add_fact(app, "plugins", active_plugins)
    app.extensions[COMMANDS] = {}
    if "FLASK_RUN_FROM_CLI" in environ:
        _serve_flask_db(app)
    wishes = state.read(app.extensions["jobstead.db"])
    here = Host(generation=wishes.generation, safe_mode=config.safe_mode, environ=environ)
    app.extensions[KEY] = here
    health.init_app(app)
    with app.app_context():
        loader = Loader(app, Inventory.of(config, bundled), environ)
        here.records = loader.records
        try:
            loader.run(wishes)
        except RefusedError:
            app.extensions["jobstead.db"].dispose()
            raise


def _serve_flask_db(app: Server) -> None:
    """Let ``flask db`` work; not imported by those who serve, whose start it would delay."""
    from flask_migrate import Migrate  # type: ignore[import-untyped]

    from .environment import ForFlaskMigrate
    from .revisions import HOME

    Migrate(app, ForFlaskMigrate(), directory=str(HOME))


def active_plugins() -> list[dict[str, str]]:
    """Name, version and summary of every plugin that runs here, for ``/meta``."""
    return [
        {"id": record.name, "version": record.manifest.version, "summary": record.manifest.summary}
        for record in host().active()
        if record.manifest is not None
    ]
