"""Loading plugins: step by step, each fault kept to the plugin that made it.

All are imported and offer their hookspecs before the first registers an implementation, and all
are mapped and migrated before the first is asked for routes or handlers: so nothing depends on who
comes first among those that do not require one another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from core import db
from core.access import Permissions
from core.config import Config
from core.hooks import Hooks
from core.log import get_logger
from core.switch import Switch
from core.web.server import API, Server

from . import activation, importing, migrations, settings, state
from .discovery import Found
from .inventory import Inventory
from .ownership import Ownership
from .record import Failure, Record, reason
from .requirements import unmet
from .snapshot import Snapshot
from .urls import Urls

log = get_logger(__name__)


class RefusedError(RuntimeError):
    """``strict = true``, and a plugin failed: the server does not start."""


class Loader:
    """Loads the plugins of one app. ``records`` has an entry for each, in loading order."""

    def __init__(self, app: Server, inventory: Inventory, environ: Mapping[str, str]) -> None:
        self._app = app
        self._inventory = inventory
        self._environ = environ
        self._config: Config = app.extensions["jobstead.config"]
        self._hooks: Hooks = app.extensions["jobstead.hooks"]
        self._permissions: Permissions = app.extensions["jobstead.permissions"]
        self._switch: Switch = app.extensions["jobstead.switch"]
        self._settings = app.extensions.setdefault(settings.KEY, {})
        self._urls = Urls(_routes(app))
        self.records: dict[str, Record] = {name: Record(found) for name, found in inventory.found.items()}

    def run(self, wishes: state.Wishes) -> None:
        """Take every enabled plugin as far as it goes. Raises ``RefusedError`` when strict."""
        if wishes.generation == state.UNKNOWN:
            self._switch.wanted = None
        self._note_absent(wishes)
        for record in self.records.values():
            self._step(record, "enabled", lambda r: self._enable(r, wishes))
        wanted = [record for record in self.records.values() if record.state == "loading"]
        for record in wanted:
            self._steps(record, validated=self._validate, imported=self._import, configured=self._configure)
        for record in wanted:
            self._steps(record, registered=self._register, mapped=self._map)
        self._migrated(wanted)
        for record in wanted:
            self._steps(record, activated=self._activate)

    # --- one step after the other ---------------------------------------------------------------

    def _steps(self, record: Record, **steps: Callable[[Record], None]) -> None:
        for name, act in steps.items():
            if record.state == "loading":
                self._step(record, name, act)

    def _step(self, record: Record, name: str, act: Callable[[Record], None]) -> None:
        record.step = name
        try:
            if name not in ("enabled", "validated"):
                self._check_needs(record)
            act(record)
        except (Exception, SystemExit) as fault:
            self._fail(record, fault)

    def _fail(self, record: Record, fault: BaseException) -> None:
        record.state, record.reason = "failed", reason(fault, record.found.folder)
        self._note_wanted(record)
        self._withdraw(record)
        log.error("plugin failed", plugin=record.name, step=record.step, reason=record.reason)
        if self._config.strict:
            raise RefusedError(f"plugin {record.name} failed at {record.step}: {record.reason}") from fault

    def _withdraw(self, record: Record) -> None:
        """Leave nothing behind of a plugin that failed. What cannot be undone is logged, and stops nobody."""
        name, specs = record.name, record.specs
        self._switch.defaults.pop(name, None)
        self._settings.pop(name, None)
        self._permissions.withdraw(name)
        self._urls.release(name)
        undo: list[Callable[[], None]] = [
            lambda: self._hooks.unregister(name),
            lambda: activation.withdraw(self._app, record),
        ]
        if specs is not None:
            undo.append(lambda: self._hooks.remove_specs(specs))
        if record.step in ("imported", "mapped"):
            undo.append(lambda: importing.throw_out(record.found))
        for act in undo:
            try:
                act()
            except Exception as fault:
                log.error("plugin left something behind", plugin=name, error=str(fault))

    def _check_needs(self, record: Record) -> None:
        for name in record.manifest.needs if record.manifest else ():
            if self.records[name].state not in ("loading", "active"):
                raise Failure(f"requires the plugin {name}, which {self._why_not(name)}")

    def _why_not(self, name: str) -> str:
        there = self.records.get(name)
        if there is None:
            return "is not installed"
        return f"failed at {there.step}" if there.state == "failed" else "is not enabled"

    # --- the steps -------------------------------------------------------------------------------

    def _note_absent(self, wishes: state.Wishes) -> None:
        """A plugin that shall run and is not on this machine fails like any other."""
        for name in sorted({*self._config.plugins, *wishes.rows} - self.records.keys()):
            found = Found(name, "missing", f"plugins.{name}", None, fault="is not on this machine")
            self.records[name] = Record(found)

    def _note_wanted(self, record: Record) -> None:
        if self._switch.wanted is not None:
            self._switch.wanted.add(record.name)

    def _enable(self, record: Record, wishes: state.Wishes) -> None:
        record.enabled, record.decided_by = state.decide(record.found, self._config, self._environ, wishes)
        if record.enabled:
            self._note_wanted(record)
        if self._config.safe_mode:
            record.reason = "safe mode: core runs alone"
        elif record.enabled:
            record.state = "loading"
        else:
            record.reason = record.found.fault

    def _validate(self, record: Record) -> None:
        manifest = record.sound
        circle = self._inventory.circles.get(record.name)
        if circle:
            raise Failure(f"requires itself: {' → '.join(circle)}")
        loaded = {r.name: r.manifest for r in self.records.values() if r.manifest and r.state == "loading"}
        del loaded[record.name]
        missing = unmet(manifest, loaded, {name: self._why_not(name) for name in manifest.needs})
        if missing:
            raise Failure(missing)
        for url in manifest.urls:
            if owner := self._urls.owner(url):
                raise Failure(f"the url {url} belongs to {owner}")
        self._urls.claim(manifest.urls, record.name)

    def _import(self, record: Record) -> None:
        before = set(db.metadata.tables)
        try:
            record.module = importing.bring_in(record.found)
            specs = importing.submodule(record.module, "hookspecs")
        finally:
            self._check_tables(record, before)
        if specs is not None:
            self._hooks.add_specs(specs)
            record.specs = specs

    def _check_tables(self, record: Record, before: set[str]) -> None:
        """A plugin's tables carry its own name, and no longer one that is somebody else's."""
        ownership = Ownership(self.records)
        for table in sorted(set(db.metadata.tables) - before):
            fitting = [name for name in ownership.plugins if table.startswith(f"{name}_")]
            if max(fitting, key=len, default=None) != record.name:
                raise Failure(f"the table {table} is not named after the plugin alone")

    def _configure(self, record: Record) -> None:
        schema = settings.schema_of(record.package)
        record.config, record.sources = settings.resolved(record.name, schema, self._config, self._environ)
        self._settings[record.name] = record.config

    def _register(self, record: Record) -> None:
        for spec in record.sound.permissions:
            self._permissions.add(spec.name, plugin=record.name, summary=spec.summary, roles=spec.roles)
        self._hooks.register(record.name, record.package)
        self._hooks.check_pending()
        # from here on its hooks answer, so that others can ask while they register
        self._switch.defaults[record.name] = record.sound.default == "on"

    def _map(self, record: Record) -> None:
        db.configure(record.name)

    def _migrated(self, wanted: list[Record]) -> None:
        try:
            with self._app.extensions["jobstead.db"].engine.connect() as connection:
                connection.info["write"] = False
                for record in wanted:
                    self._steps(record, migrated=lambda r: self._check_migrations(r, connection))
        except DBAPIError as fault:
            log.warning("the database cannot be asked about migrations", error=str(fault.orig))

    def _check_migrations(self, record: Record, connection: Connection) -> None:
        goal = migrations.target(record.name, record.found.folder)
        record.pending = migrations.pending(goal, connection)
        if record.pending:
            pending = ", ".join(record.pending)
            raise Failure(f"{len(record.pending)} migration(s) pending ({pending}): run jobstead db upgrade")

    def _activate(self, record: Record) -> None:
        before = Snapshot(self._app)
        try:
            offer = activation.stage(self._app, record)
            record.step = "mapped"
            db.configure(record.name)  # models that only now were imported
            record.step = "activated"
            activation.check(self._app, record, offer)
            activation.commit(self._app, record, offer)
        except BaseException:
            before.restore()
            raise
        record.state = "active"


def _routes(app: Server) -> set[str]:
    """The paths of core's own routes below the API."""
    prefix = f"{API}/"
    paths = (rule.rule for rule in app.url_map.iter_rules())
    return {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
