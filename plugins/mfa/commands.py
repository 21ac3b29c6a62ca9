"""``jobstead mfa``: for operators, where somebody is locked out."""

from __future__ import annotations

import click

from core.api import begin, find_by_email

from . import enrolment


@click.group()
def mfa() -> None:
    """The second step of signing in."""


@mfa.command()
@click.argument("email")
def reset(email: str) -> None:
    """Take the second step of EMAIL away, with all recovery codes. They hear of it by mail."""
    with begin():
        user = find_by_email(email.strip().casefold())
        if user is None:
            raise click.ClickException(f"Nobody has the address {email}.")
        removed = enrolment.reset(user.id)
    if removed:
        click.echo(f"{user.email} signs in by password alone from now on; every session of theirs has ended.")
    else:
        click.echo(f"{user.email} has no second step.")
