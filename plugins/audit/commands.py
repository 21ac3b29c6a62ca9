"""``jobstead audit``: whether the chains hold."""

from __future__ import annotations

import json
import sys
from uuid import UUID

import click

from core.api import begin, find_organisation

from . import heads
from .link import INSTANCE
from .schemas import ReportOut
from .verify import Report, chains, verify


@click.group()
def audit() -> None:
    """The audit log: verify its chains, export their ends."""


@audit.command("verify")
@click.option("--org", "which", help="One organisation's chain alone, by slug or id (also of one gone).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_chains(which: str | None, as_json: bool) -> None:
    """Walk every chain and name the first row that is missing, changed, moved or cut off; exit 1 then."""
    exported = heads.read()
    names = [_chain(which)] if which else sorted({*chains(), *exported.known})
    reports = [verify(name, exported.of(name)) for name in names]
    whole = not exported.forged and all(report.ok for report in reports)
    if as_json:
        found = {
            "ok": whole,
            "heads": {"forged": exported.forged, "torn": exported.torn},
            "chains": ReportOut(many=True).dump(reports),
        }
        click.echo(json.dumps(found, indent=2))
    else:
        _say(reports, exported)
    if not whole:
        sys.exit(1)


@audit.command("export-heads")
def export_heads() -> None:
    """Write the ends of the chains that grew to the file now, as the job does every hour."""
    with begin():
        count = heads.export()["exported"]
    click.echo(f"{count} chains grew; their ends are in {heads.file()}.")


def _chain(which: str) -> str:
    found = find_organisation(which)
    if found is not None:
        return str(found.id)
    try:
        gone = str(UUID(which))
    except ValueError:
        raise click.ClickException(f"There is no organisation {which}.") from None
    if gone not in chains():
        raise click.ClickException(f"There is no chain of an organisation {which}.")
    return gone


def _say(reports: list[Report], exported: heads.Heads) -> None:
    for report in reports:
        name = "the instance" if report.chain == INSTANCE else f"organisation {report.chain}"
        if report.broken is None:
            click.echo(f"{name}: holds ({report.entries} recorded).")
            continue
        row = f" ({report.broken.entry})" if report.broken.entry else ""
        click.echo(
            f"{name}: broken at row {report.broken.seq}{row}: {report.broken.fault}. {report.broken.detail}"
        )
    if not reports:
        click.echo("Nothing has been recorded yet.")
    if exported.forged:
        click.echo(f"{exported.forged} lines of {heads.file()} are not signed by this instance.")
    if exported.torn:
        click.echo(f"{exported.torn} lines of {heads.file()} cannot be read; a crash may have torn them.")
