"""The ``jobstead`` command: one sentence when something is wrong, ``--json`` where data is printed.

Groups live in their rooms and are imported when they are asked for, so that ``jobstead --help`` stays quick. Commands of
plugins need the booted app; ``jobstead commands`` lists them.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

# name -> (module:attribute, help). The help stands here so that listing imports nothing.
ROOMS: Mapping[str, tuple[str, str]] = {
    "db": ("core.host.cli:db", "Database: upgrade, state of the migrations."),
    "plugins": ("core.host.cli:plugins", "Plugins: what runs, what failed and why."),
}


class Rooms(click.Group):
    """A group whose subcommands are imported when used, and come from plugins when no room knows them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *ROOMS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        if cmd_name in ROOMS:
            module, _, attribute = ROOMS[cmd_name][0].partition(":")
            command = getattr(importlib.import_module(module), attribute)
            assert isinstance(command, click.Command)
            return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {name: text for name, (_, text) in ROOMS.items()}
        for name in super().list_commands(ctx):
            command = super().get_command(ctx, name)
            if command is not None and not command.hidden:
                rows[name] = command.get_short_help_str(80)
        with formatter.section("Commands"):
            formatter.write_dl(sorted(rows.items()))


@click.group(cls=Rooms, epilog="Plugins add commands of their own: `jobstead commands` lists them.")
def main() -> None:
    """Jobstead: a self-hostable server for job search."""


if __name__ == "__main__":
    sys.exit(main())
