"""The ``jobstead`` command: one sentence when something is wrong, ``--json`` where data is printed.

Groups live in their rooms and are imported when they are asked for, so that ``jobstead --help`` stays quick.
Commands of plugins need the booted app: ``jobstead commands`` lists them.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from core import __version__

if TYPE_CHECKING:
    from core.config import Config
    from core.web import Server

ROOMS: Mapping[str, tuple[str, str]] = {
    "db": ("core.host.cli:db", "Database: upgrade, state of the migrations."),
    "keys": ("core.auth.cli:keys", "Signing keys: list, rotate."),
    "plugins": ("core.host.cli:plugins", "Plugins: what runs, what failed and why."),
    "probe": ("core.host.cli:probe", "Boot once with the present configuration and say what fails."),
}
"""Commands of the rooms: where each is, and its help, which stands here so that listing imports nothing."""


def boot(config: Config | None = None) -> Server:
    """The app that commands work with; rooms and plugins find it as the context's object."""
    with uncollected():
        from core.app import create_app

        return create_app(config)


@contextmanager
def uncollected() -> Iterator[None]:
    """Import without the collector: little of it is garbage, and looking for it costs a fifth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _room(name: str) -> click.Command:
    module, _, attribute = ROOMS[name][0].partition(":")
    with uncollected():
        command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


class Commands(click.Group):
    """Our own commands, those of the rooms, and for a name that neither knows those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ROOMS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in ROOMS:
            return _room(cmd_name)
        with plain_words():
            app = ctx.with_resource(booted())
        found = app.extensions["jobstead.commands"].get(cmd_name)
        return found[1] if found else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {name: text for name, (_, text) in ROOMS.items()}
        for name, command in self.commands.items():
            if not command.hidden:
                rows[name] = command.get_short_help_str(90)
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows.items()))

    def invoke(self, ctx: click.Context) -> Any:
        with plain_words():
            return super().invoke(ctx)


@contextmanager
def booted() -> Iterator[Server]:
    """The app with its context pushed, for a command of a plugin; the command opens its own units of work."""
    from core.context import SYSTEM, acting_as

    app = boot()
    with app.app_context(), acting_as(SYSTEM):
        yield app


@contextmanager
def plain_words() -> Iterator[None]:
    """What an operator can mend is one sentence; anything else is a fault of ours and keeps its traceback."""
    try:
        yield
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as fault:
        sentence = _sentence(fault)
        if sentence is None:
            raise
        raise click.ClickException(sentence) from fault


def _sentence(fault: Exception) -> str | None:
    from sqlalchemy.exc import OperationalError

    from core.config import ConfigError
    from core.errors import Problem
    from core.host.loading import RefusedError
    from core.supervisor import StartError

    if isinstance(fault, ConfigError | Problem | RefusedError | StartError):
        return str(fault)
    if isinstance(fault, OperationalError):
        told = str(fault.orig).strip().splitlines() or ["no reason given"]
        return f"the database cannot be used ({told[0]}): check DATABASE_URL, then run `jobstead db upgrade`."
    return None


@click.group(cls=Commands, epilog="Plugins add commands of their own: `jobstead commands` lists them.")
@click.version_option(__version__, prog_name="jobstead")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Jobstead: a self-hostable server for job search."""
    ctx.obj = boot


@main.command()
def up() -> None:
    """Start everything under one supervisor: database, Redis, web and worker."""
    from core.config import ROOT, load
    from core.supervisor import Settings, commands, run
    from core.supervisor.settings import say

    config = load()
    for warning in config.warnings:
        say(warning)
    public, redis = config.server.public_url, config.redis
    run(
        Settings(
            data_dir=config.data_dir,
            host=config.server.host,
            port=config.server.port,
            public_url=public,
            redis_url=redis.url.reveal() if redis.url else None,
            direct=redis.mode == "direct" or os.environ.get("JOBSTEAD_REDIS") == "direct",
            grace=config.server.shutdown_grace.total_seconds(),
            drain=5.0 if public else 0.0,  # a load balancer in front needs time to see that we go
            root=ROOT,
            commands=commands(ROOT),
            environ=os.environ,
        )
    )


@main.command()
def worker() -> None:
    """Run handlers, jobs and schedules in this process, until SIGTERM."""
    from core.engine import worker as engine_worker
    from core.host import state

    app = boot()
    state.keep_following(app, app.extensions["jobstead.engine"].stopping)
    engine_worker.main(app)


@main.command("setup-link")
def setup_link() -> None:
    """Print the one-time link that makes the first admin; nothing when there is one."""
    from core.auth.setup import issue_link

    link = issue_link(boot())
    if link:
        click.echo(link)


@main.command(hidden=True)
@click.pass_context
def prepare(ctx: click.Context) -> None:
    """For the supervisor: ``db upgrade`` and ``setup-link`` in one process; says as JSON what came of it."""
    output = os.dup(1)
    os.dup2(2, 1)  # whatever else is said goes where people read it
    database = _room("db")
    assert isinstance(database, click.Group)  # noqa: S101
    applied = ctx.invoke(database.commands["upgrade"])
    from core.auth.setup import issue_link

    os.write(output, json.dumps({"link": issue_link(boot()) or "", "applied": applied}).encode())


@main.command("commands")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_plugin_commands(ctx: click.Context, as_json: bool) -> None:
    """The commands that plugins add."""
    found = ctx.with_resource(booted()).extensions["jobstead.commands"]
    rows = [
        {"name": name, "plugin": plugin, "help": command.get_short_help_str(90)}
        for name, (plugin, command) in sorted(found.items())
    ]
    if as_json:
        click.echo(json.dumps({"items": rows}, indent=2))
        return
    for row in rows:
        click.echo(f"{row['name']:<20} {row['plugin']:<16} {row['help']}")
    if not rows:
        click.echo("No active plugin adds commands.")


if __name__ == "__main__":
    sys.exit(main(prog_name="jobstead"))
