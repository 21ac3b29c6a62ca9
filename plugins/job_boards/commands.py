"""``jobstead ingest``: read a saved answer of a feed, with no network."""

from __future__ import annotations

import json
import sys
from difflib import get_close_matches
from pathlib import Path

import click

from . import sources
from .api import Feed, FeedError, Provider
from .fetch import MOST_BYTES
from .ingest import Result, ingest


@click.command("ingest")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--provider", "name", required=True, help="Whose answer it is: remoteok, greenhouse, ...")
@click.option("--board", default="", help="The board's token, where the provider has one a company.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON.")
def ingest_file(file: Path, name: str, board: str, as_json: bool) -> None:
    """Store the postings of a saved answer of a feed; reading it again creates nothing new."""
    provider = _provider(name)
    feed = Feed("", board)
    source = sources.Source(provider, feed).name
    try:
        reading = list(provider.read(_content(file), feed))
    except FeedError as fault:
        raise click.ClickException(
            f"{file} cannot be read as an answer of {provider.label}. {fault}"
        ) from fault
    if sys.stderr.isatty():
        with click.progressbar(length=len(reading), label="Storing postings", file=sys.stderr) as bar:
            result = ingest(
                provider, source, reading, progress=lambda done, _total: bar.update(done - bar.pos)
            )
            bar.update(bar.length - bar.pos if bar.length else 0)
    else:
        result = ingest(provider, source, reading)
    _print(result, as_json)


def _provider(name: str) -> Provider:
    known = sources.providers()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}."
        raise click.ClickException(f"No provider is called {name!r}; {hint}")
    return known[name]


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise click.ClickException(f"{file} does not exist.") from None
    except IsADirectoryError:
        raise click.ClickException(f"{file} is a directory, not a file.") from None
    except OSError as fault:
        raise click.ClickException(f"{file} cannot be read: {fault.strerror}.") from fault
    if len(content) > MOST_BYTES:
        raise click.ClickException(f"{file} is larger than {MOST_BYTES:,} bytes.")
    return content


def _print(result: Result, as_json: bool) -> None:
    if as_json:
        document = {
            "ingestId": str(result.id),
            **result.counts,
            "skippedRecords": list(result.skipped_records),
        }
        click.echo(json.dumps(document))
        return
    click.echo(", ".join(f"{count} {name}" for name, count in result.counts.items()))
    for skip in result.skipped_records:
        click.echo(f"  skipped {skip['id'] or 'a record'}: {skip['reason']}", err=True)
