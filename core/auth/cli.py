"""``jobstead keys``: the keys that sign access tokens.

The app comes from the context's object: composition is a floor above.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import cast

import click
from flask import Flask
from marshmallow import fields

from core.clock import utcnow
from core.context import SYSTEM, acting_as
from core.web import Schema

from . import rotation
from .keys import FRESH_FOR

_SEEN = timedelta(seconds=FRESH_FOR + 1)
"""After so long every process of the instance knows a new key."""


class KeyOut(Schema):
    """A key, without what it signs with."""

    kid = fields.String()
    state = fields.String()
    created_at = fields.DateTime()
    activated_at = fields.DateTime(allow_none=True)
    retired_at = fields.DateTime(allow_none=True)
    due = fields.DateTime(allow_none=True)


@contextmanager
def _app() -> Iterator[Flask]:
    app = cast(Callable[[], Flask], click.get_current_context().find_root().obj)()
    try:
        with app.app_context(), acting_as(SYSTEM):
            yield app
    finally:
        app.extensions["jobstead.db"].dispose()


@click.group()
def keys() -> None:
    """Signing keys: list, rotate."""


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_keys(as_json: bool) -> None:
    """Every key, the newest first: what it is now, and when it may become the next thing."""
    with _app():
        found = rotation.listed()
    if as_json:
        click.echo(json.dumps({"items": KeyOut().dump(found, many=True)}, indent=2))
        return
    for key in found:
        since = key.retired_at or key.activated_at or key.created_at
        due = {"next": "may sign from", "retiring": "goes after"}.get(key.state)
        until = f"  {due} {_when(key.due)}" if due and key.due else ""
        click.echo(f"{key.kid}  {key.state:<8}  since {_when(since)}{until}")
    if not found:
        click.echo("There are no keys yet: the first is made when the server starts.")


@keys.command()
@click.option("--now", "at_once", is_flag=True, help="Do not wait until the next key was published a day.")
@click.option("--leaked", is_flag=True, help="Trust no older key any more: every access token ends now.")
def rotate(at_once: bool, leaked: bool) -> None:
    """Let the next key sign. The one before verifies until the last token it signed has expired.

    A next key is published first where there is none; it may sign a day later.
    """
    with _app():
        following = rotation.prepare()
        if at_once or leaked:
            _wait_until(following.created_at + _SEEN)
        if not rotation.rotate(at_once=at_once, leaked=leaked):
            click.echo(f"{following.kid} is published; it may sign from {_when(following.due)}.")
            click.echo("Run this again then, or now with --now.")
            return
        click.echo(f"{following.kid} signs now.")
        for key in rotation.listed():
            if key.state == "retiring" and key.due:
                click.echo(f"{key.kid} verifies until {_when(key.due)}.")
            if key.state == "next":
                click.echo(f"{key.kid} is published as the next one.")


def _wait_until(moment: datetime) -> None:
    missing = (moment - utcnow()).total_seconds()
    if missing > 0:
        time.sleep(missing)


def _when(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
