"""Putting the rooms together: the one place that knows them all."""

from __future__ import annotations

import os
from collections.abc import Mapping

from . import auth, engine, hookspecs, host, log, orgs, users, web
from .access import Permissions, enforce
from .config import Config, load
from .context import organisation_id
from .crypto import Keyring
from .db import Database
from .errors import NotFound
from .hooks import Hooks
from .redis import connect
from .switch import Switch, active
from .web import Server, ViewInfo


def create_app(config: Config | None = None, *, environ: Mapping[str, str] = os.environ) -> Server:
    """An app that serves: core first, then every plugin that is enabled and sound.

    Reads ``plugins.toml`` and ``environ`` where no ``config`` is given. Raises
    ``ConfigError`` for a configuration that cannot be, and ``RuntimeError`` for a route of core
    that declares nobody who may call it; a plugin's faults quarantine that plugin.
    """
    config = config or load(environ=environ)
    log.init(config.log)
    for warning in config.warnings:
        log.get_logger(__name__).warning(warning)
    app = Server("jobstead")
    _lay_ground(app, config)
    web.init_app(
        app,
        config,
        gates=(
            web.limits.by_address,
            auth.authenticate,
            web.limits.by_caller,
            web.take_place,
            orgs.choose_organisation,
            _serving,
            _permitted,
        ),
    )
    engine.init_app(app, config)
    users.init_app(app)
    auth.init_app(app, config)
    orgs.init_app(app)
    host.init_app(app, config, environ=environ)
    web.refuse_undeclared(app)
    web.limits.warn_of_unknown(app)
    return app


def _lay_ground(app: Server, config: Config) -> None:
    keyring = Keyring.open(config.data_dir, config.secrets.master_key, lenient=config.env == "test")
    app.extensions.update(
        {
            "jobstead.config": config,
            "jobstead.db": Database(config.database.url),
            "jobstead.keyring": keyring,
            "jobstead.redis": connect(config),
            "jobstead.permissions": Permissions(),
            "jobstead.switch": Switch(),
            "jobstead.hooks": Hooks(hookspecs),
            "jobstead.settings": {},
        }
    )


def _serving(view: ViewInfo) -> None:
    """Gate: a plugin that does not serve this organisation has no routes there."""
    if not active(view.plugin, organisation_id()):
        raise NotFound


def _permitted(view: ViewInfo) -> None:
    """Gate: the caller holds what the route asks for."""
    enforce(view.access)
