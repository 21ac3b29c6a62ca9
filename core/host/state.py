"""Which plugins the instance shall run: rows, a generation number, and the file supervisors watch."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from flask import Flask
from sqlalchemy import insert, inspect, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.clock import utcnow
from core.config import Config
from core.context import principal
from core.db import Database, begin, db
from core.log import get_logger

from .discovery import Found
from .models import COUNTER, PluginState
from .record import Failure
from .registry import KEY, Host
from .settings import enabled_variable

log = get_logger(__name__)

UNKNOWN = -1
"""The generation of a process that could not read the database at start: any other is news to it."""


@dataclass(frozen=True)
class Wishes:
    """What the rows say: for each plugin whether it shall run, and since which generation.

    ``generation`` is the instance's, and ``UNKNOWN`` when the database could not be asked.
    """

    rows: Mapping[str, tuple[bool, int]] = field(default_factory=dict)
    generation: int = UNKNOWN


def read(database: Database) -> Wishes:
    """The wishes at start; none before the first migration, nor with the database away."""
    try:
        with begin(write=False, on=database) as unit:
            if not inspect(unit.connection).has_table(PluginState.__tablename__):
                return Wishes(generation=0)
            return wishes()
    except DBAPIError as fault:
        log.warning("the database cannot be asked which plugins are enabled", error=str(fault.orig))
        return Wishes()


def wishes() -> Wishes:
    """The wishes as the open unit of work sees them."""
    rows = db.session.scalars(select(PluginState)).all()
    generation = next((row.generation for row in rows if row.name == COUNTER), 0)
    wanted = {row.name: (row.enabled, row.generation) for row in rows if row.name != COUNTER}
    return Wishes(wanted, generation)


def current(database: Database) -> int:
    """The instance's generation, or ``UNKNOWN`` where the database cannot be asked."""
    try:
        with begin(write=False, on=database):
            number = select(PluginState.generation).where(PluginState.name == COUNTER)
            return db.session.execute(number).scalar_one_or_none() or 0
    except DBAPIError:
        return UNKNOWN


def decide(found: Found, config: Config, environ: Mapping[str, str], wishes: Wishes) -> tuple[bool, str]:
    """Whether ``found`` shall run, and who said so. Raises ``Failure`` for a value that is no switch.

    ``enabled = false`` in the file always wins; then environment, file, admin. A folder somebody
    put on ``PLUGIN_PATH`` runs unless told otherwise, any other plugin waits to be enabled.
    """
    in_file = config.plugins.get(found.name, {}).get("enabled")
    if in_file is not None and not isinstance(in_file, bool):
        raise Failure(f"plugins.toml: [plugins.{found.name}] enabled must be true or false")
    if in_file is False:
        return False, "file"
    variable = enabled_variable(found.name)
    if variable in environ:
        text = environ[variable].strip().lower()
        if text not in ("true", "false", "1", "0"):
            raise Failure(f"{variable} must be true or false")
        return text in ("true", "1"), "environment"
    if in_file is True:
        return True, "file"
    if found.name in wishes.rows:
        return wishes.rows[found.name][0], "admin"
    return found.origin == "path", "default"


def wish(name: str, enabled: bool) -> int:
    """Write that plugin ``name`` shall run or not, in the open unit of work; the new generation."""
    generation = _next_generation()
    row = db.session.get(PluginState, name) or PluginState(name=name)
    row.enabled, row.generation, row.changed_by = enabled, generation, principal().label
    db.session.add(row)
    db.session.flush()
    return generation


def _next_generation() -> int:
    """Count up under the counter row's lock, which is held until the unit of work ends."""
    step = (
        update(PluginState)
        .where(PluginState.name == COUNTER)
        .values(generation=PluginState.generation + 1, changed_at=utcnow())
        .returning(PluginState.generation)
        .execution_options(synchronize_session=False)
    )
    number = db.session.execute(step).scalar_one_or_none()
    if number is not None:
        return number
    try:
        with db.session.begin_nested():
            first = {"name": COUNTER, "enabled": True, "generation": 1}
            db.session.execute(insert(PluginState).values(first))
    except IntegrityError:  # somebody else wrote the first one meanwhile
        return db.session.execute(step).scalar_one()
    return 1


def reload_file(config: Config) -> Path:
    """What a supervisor watches: ``{"generation": n}``."""
    return config.data_dir / "run" / "reload"


def announce(config: Config, generation: int, *, again: bool = False) -> None:
    """Tell this machine's supervisor that processes of another generation are out of date.

    What the file says already is written ``again`` only when asked to.
    """
    path = reload_file(config)
    if not again and _announced(path) == generation:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix="reload.")
    with os.fdopen(descriptor, "w") as file:
        json.dump({"generation": generation}, file)
    os.replace(temporary, path)


def _announced(path: Path) -> int | None:
    try:
        return cast(int, json.loads(path.read_text())["generation"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def follow(app: Flask) -> bool:
    """Announce a generation that this process was not started with; True the first time it sees one.

    Cheap (one row by key). A change made on another machine reaches this machine's supervisor through it.
    """
    here: Host = app.extensions[KEY]
    generation = current(app.extensions["jobstead.db"])
    if generation in (UNKNOWN, here.generation, here.followed):
        return False
    announce(app.extensions["jobstead.config"], generation, again=here.generation == UNKNOWN)
    here.followed = generation
    return True


def keep_following(app: Flask, stop: threading.Event, *, every: float = 2.0) -> threading.Thread:
    """``follow`` in a thread of this process, ``every`` so many seconds until ``stop`` is set.

    One process of each machine suffices: the worker.
    """

    def forever() -> None:
        while not stop.wait(every):
            try:
                follow(app)
            except Exception as fault:
                log.warning("cannot follow the plugins' generation", error=str(fault))

    thread = threading.Thread(target=forever, name="host-follow", daemon=True)
    thread.start()
    return thread
