"""``jobstead sample-greet``."""

from __future__ import annotations

import click

from core.api import settings


@click.command("sample-greet")
def greet():
    """Say the greeting."""
    click.echo(settings("sample")["greeting"])
