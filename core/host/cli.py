"""``jobstead plugins``, ``jobstead db`` and ``jobstead probe``.

Commands that need an app take ``boot`` from the context's object: composition is a floor above.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import click
from alembic.util import CommandError
from flask import Flask

from core.config import Config, load
from core.context import SYSTEM, acting_as
from core.db import RowSecurityError, begin, configure

from . import importing, migrations, revisions, service
from .lock import LockedError
from .record import reason
from .registry import host
from .schemas import PluginDetail, PluginList

Boot = Callable[[Config], Flask]


@contextmanager
def _app(**changes: Any) -> Iterator[Flask]:
    """The booted app, its context pushed. What it raises is put in plain words by ``core.cli``."""
    boot = cast(Boot, click.get_current_context().find_root().obj)
    try:
        app = boot(replace(load(), **changes))
        try:
            with app.app_context(), acting_as(SYSTEM):
                yield app
        finally:
            app.extensions["jobstead.db"].dispose()
    except (LockedError, CommandError) as fault:
        raise click.ClickException(str(fault)) from fault


# --- plugins -------------------------------------------------------------------------------------


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def plugins(ctx: click.Context, as_json: bool) -> None:
    """Plugins: what runs, what failed and why."""
    if ctx.invoked_subcommand is not None:
        return
    with _app(strict=False), begin(write=False):
        found = service.every()
    if as_json:
        click.echo(json.dumps(PluginList().dump({"items": found}), indent=2))
        return
    for plugin in found:
        click.echo(_line(plugin))
        if plugin["reason"]:
            step = f"{plugin['step']}: " if plugin["step"] else ""
            click.echo(f"    {step}{plugin['reason']}")
    if not found:
        click.echo("There are no plugins.")


@plugins.command()
@click.argument("name")
def show(name: str) -> None:
    """Everything plugin NAME is and brings, as JSON."""
    with _app(strict=False), begin(write=False):
        click.echo(json.dumps(PluginDetail().dump(service.one(name)), indent=2))


@plugins.command()
@click.argument("name")
@click.option("--cascade", is_flag=True, help="Also the plugins it requires.")
def enable(name: str, cascade: bool) -> None:
    """Have plugin NAME run on this instance."""
    with _app(strict=False), begin():
        click.echo(_line(service.enable(name, cascade=cascade)))


@plugins.command()
@click.argument("name")
@click.option("--cascade", is_flag=True, help="Also the plugins that require it.")
def disable(name: str, cascade: bool) -> None:
    """Have plugin NAME stop on this instance. Its data stays."""
    with _app(strict=False), begin():
        click.echo(_line(service.disable(name, cascade=cascade)))


def _line(plugin: dict[str, Any]) -> str:
    version, by = (
        plugin["version"] or "?",
        "" if plugin["decided_by"] == "default" else f"by {plugin['decided_by']}",
    )
    return f"{plugin['id']:<24} {version:<10} {plugin['state']:<10} {plugin['origin']:<10} {by}".rstrip()


# --- probe ---------------------------------------------------------------------------------------


@click.command()
def probe() -> None:
    """Boot once with the present configuration and say what fails; exit 0 when the server would serve."""
    with _app():
        active, failed = host().active(), host().failed()
    for record in failed:
        click.echo(f"plugin {record.name} failed at {record.step}: {record.reason}", err=True)
    click.echo(f"{len(active)} plugins would run, {len(failed)} failed.")


# --- db ------------------------------------------------------------------------------------------


@click.group()
def db() -> None:
    """Database: upgrade, state of the migrations."""


@db.command()
def upgrade() -> int:
    """Apply pending migrations: core's, then each enabled plugin's in the order of requirements.

    A plugin whose migration fails is reported and stays out until it succeeds; exit 1 only when
    core's fails, or any with strict = true.
    """
    config = load()
    try:
        outcomes = migrations.upgrade(config)
    except (LockedError, migrations.MigrationError, RowSecurityError) as fault:
        raise click.ClickException(str(fault)) from fault
    for outcome in outcomes:
        if outcome.applied:
            click.echo(f"{outcome.plugin}: applied {', '.join(outcome.applied)}")
        if outcome.secured:
            click.echo(f"{outcome.plugin}: row-level security set up")
        if outcome.failed:
            click.echo(f"{outcome.plugin}: failed, the plugin stays out: {outcome.failed}", err=True)
    if not any(outcome.applied or outcome.secured or outcome.failed for outcome in outcomes):
        click.echo("The database is up to date.")
    if config.strict and any(outcome.failed for outcome in outcomes):
        sys.exit(1)
    return sum(len(outcome.applied) + len(outcome.secured) for outcome in outcomes)


@db.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(as_json: bool) -> None:
    """What is applied and what is pending, for core and every plugin here."""
    rows = migrations.status(load())
    if as_json:
        click.echo(json.dumps({"items": rows}, indent=2))
        return
    for row in rows:
        at = ", ".join(row["applied"]) or "nothing"
        behind = f"pending: {', '.join(row['pending'])}" if row["pending"] else "up to date"
        click.echo(f"{row['plugin']:<24} at {at:<12} {row['fault'] or behind}")


@db.command()
@click.argument("plugin")
@click.option("-m", "--message", required=True, help="What the migration does, in a few words.")
def revision(plugin: str, message: str) -> None:
    """Write the next migration of PLUGIN (or core) from what its models say and the database lacks."""
    with _app(strict=False) as app:
        records = host().records
        if plugin != "core" and plugin not in records:
            raise click.ClickException(f"There is no plugin {plugin}.")
        folder = None
        if plugin != "core":
            found = records[plugin].found
            folder = found.folder
            try:
                importing.bring_in(found)
                configure(plugin)
            except (Exception, SystemExit) as fault:
                importing.throw_out(found)
                raise click.ClickException(f"{plugin} cannot be imported: {reason(fault, folder)}") from fault
        goal = revisions.target(plugin, folder, tuple(records))
        path = migrations.revision(goal, app.extensions["jobstead.config"], message)
    click.echo(path or f"{plugin}: models and database agree, nothing to write.")
