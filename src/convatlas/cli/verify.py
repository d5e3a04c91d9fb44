"""``convatlas verify``."""

import json
import sys

import click

from convatlas.claims.show import measured, printed
from convatlas.claims.verify import Finding, Verified, verify
from convatlas.cli.output import table_formats
from convatlas.tables import Table, render

COLUMNS = ("claim", "place", "printed", "measured", "verdict")


@click.command("verify")
@click.argument("network", default="")
@click.option("--paper", "paper", default="", metavar="NAME", help="One file of the ledger only.")
@click.option("--all", "every", is_flag=True, help="Also what cannot be measured.")
@table_formats
def command(network: str, paper: str, every: bool, form: str | None) -> None:
    """Figures that papers print, measured again: of NETWORK, of one paper, or all.

    Ends with status 1 if a verdict is no longer what the ledger says. --json tells everything.
    """
    found = verify(network, paper)
    if form == "json":
        click.echo(as_json(found))
    elif form is not None:
        click.echo(render(table(found, every=every), form))
    else:
        click.echo("\n".join(lines(found, every=every)))
    if found.changed:
        sys.exit(1)


def table(found: Verified, *, every: bool) -> Table:
    """One row for each claim that is measured, or for all."""
    shown = (f for f in found.findings if every or f.claim.measure is not None)
    return Table(COLUMNS, tuple(map(_row, shown)))


def _row(finding: Finding) -> tuple[str, ...]:
    claim = finding.claim
    place = claim.place if claim.source == finding.paper.own else f"{claim.source}: {claim.place}"
    return claim.id, place, printed(claim), measured(finding), finding.full_verdict


def lines(found: Verified, *, every: bool) -> list[str]:
    """The table, what papers contradict in themselves, and the counts."""
    if not found.findings:
        return ["the ledger has no figure of it"]
    told = [render(table(found, every=every), None), ""]
    told += [f"{name} contradicts itself: {entry.says}" for name, entry in found.contradictions]
    told += [""] * bool(found.contradictions)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in found.counts.items())
    told.append(f"{len(found.findings):,} figures: {counts}")
    if found.changed:
        told.append(f"CHANGED since the ledger was written: {len(found.changed)}")
        told += [f"  {finding.claim.id}: {finding.full_verdict}" for finding in found.changed]
    return told


def as_json(found: Verified) -> str:
    """Everything as one JSON object."""
    document = {
        "counts": found.counts,
        "changed": [finding.claim.id for finding in found.changed],
        "contradictions": [
            {"paper": name, "says": entry.says, "claims": entry.claims}
            for name, entry in found.contradictions
        ],
        "claims": [_record(finding) for finding in found.findings],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, default=float)


def _record(finding: Finding) -> dict[str, object]:
    claim = finding.claim
    return {
        "id": claim.id,
        "paper": finding.paper.name,
        "network": claim.network,
        "what": claim.what,
        "printed": claim.printed,
        "unit": claim.unit,
        "source": finding.paper.sources[claim.source],
        "place": claim.place,
        "provenance": claim.provenance,
        "measured": finding.measured,
        "verdict": finding.verdict,
        "why": claim.why,
        "changed": finding.changed,
        "reading": claim.reading,
        "instead": claim.instead,
        "note": claim.note,
    }
