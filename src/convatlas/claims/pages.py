"""The ledger as pages of the documentation: docs/papers.md and docs/errata.md."""

import re
from collections.abc import Iterator
from pathlib import Path

from convatlas.claims.claim import PROVENANCE, Claim, Paper
from convatlas.claims.show import measured, printed
from convatlas.claims.verify import Finding, Verified, verify
from convatlas.tables import Table, render

INTRODUCTION = """\
# What the papers print, and what is measured here

Generated from the ledger in `src/convatlas/claims/` by `python -m convatlas.claims`; do not edit.
`convatlas verify` measures all of it again, from the graphs of the atlas, in about a second.

- **holds**: exactly as printed. **holds (rounded)**: within half a unit of the last place printed.
- **differs**: anything else, with the reason. No network is bent to match a figure that is wrong.
- **needs training**: errors and accuracies, which only a trained network can confirm.
- **not computable**: recipes and statements that no graph can answer.

A figure measured stands in the unit printed. How well each figure is sourced:
"""
ERRATA = """\
# The lecture notes, checked

The project began with lecture notes on convolutional networks. This page says of every figure and
statement of theirs that was checked whether it is right; it is generated from the ledger by
`python -m convatlas.claims`. Where something can be computed, `convatlas verify` computes it.
"""
READINGS = {
    "wrong": "Wrong",
    "imprecise": "Imprecise",
    "right": "Right",
}


def pages(verified: Verified | None = None) -> dict[str, str]:
    """The text of each page by its name in docs/."""
    found = verify() if verified is None else verified
    return {"papers.md": papers_page(found), "errata.md": errata_page(found)}


def write(folder: Path) -> None:
    """Put the pages into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


def papers_page(found: Verified) -> str:
    """A section for each paper."""
    sourced = (f"- *{word}*: {meaning}" for word, meaning in PROVENANCE.items())
    counts = [(verdict, count) for verdict, count in found.counts.items()]
    counts.append(("all", len(found.findings)))
    total = render(Table(("verdict", "figures"), tuple(counts)), "md")
    parts = [INTRODUCTION + "\n".join(sourced), total]
    for paper in found.papers:
        parts.append("\n\n".join(_section(paper, found)))
    return "\n\n".join(parts) + "\n"


def _section(paper: Paper, found: Verified) -> Iterator[str]:
    yield f"## {paper.title}"
    yield "\n".join(_cites(paper))
    says = [entry.says for name, entry in found.contradictions if name == paper.name]
    if says:
        lines = "\n".join(f"- {text}" for text in says)
        yield f"Where it contradicts itself:\n\n{lines}"
    rows = tuple(_row(finding, paper) for finding in found.findings if finding.paper is paper)
    columns = ("figure", "network", "place", "sourced", "printed", "measured", "verdict", "note")
    yield render(Table(columns, rows), "md")


def _cites(paper: Paper) -> Iterator[str]:
    """The paper itself, then its other sources by the words that the places begin with."""
    for key, cite in paper.sources.items():
        yield f"- {cite}" if key == paper.own else f"- {key}: {cite}"


def _row(finding: Finding, paper: Paper) -> tuple[str, ...]:
    claim = finding.claim
    place = claim.place if claim.source == paper.own else f"{claim.source}: {claim.place}"
    return (
        *(claim.what, claim.network, place, claim.provenance),
        *(printed(claim), measured(finding), finding.full_verdict, claim.note),
    )


def errata_page(found: Verified) -> str:
    """What is wrong, what is imprecise, what is right."""
    parts = [ERRATA.rstrip("\n")]
    for reading, title in READINGS.items():
        findings = [f for f in found.findings if f.claim.reading == reading]
        right = reading == "right"
        columns = ("place", "network", "the notes say", "measured" if right else "what is right")
        rows = tuple(
            (
                f.claim.place,
                f.claim.network,
                _said(f.claim),
                _sound(f) if right else f.claim.instead,
            )
            for f in sorted(findings, key=_where)
        )
        parts += [f"## {title}: {len(rows)}", render(Table(columns, rows), "md")]
    return "\n\n".join(parts) + "\n"


def _where(finding: Finding) -> list[int]:
    """The note and its lines, as numbers."""
    return [int(number) for number in re.findall(r"\d+", finding.claim.place)]


def _said(claim: Claim) -> str:
    figure = printed(claim)
    return claim.what if figure == "as said" else f"{claim.what}: {figure}"


def _sound(finding: Finding) -> str:
    """What was measured, or what to add."""
    return "; ".join(filter(None, (measured(finding), finding.claim.instead, finding.claim.note)))
