"""Measure the ledger again and say what came out, and what has changed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from convatlas import atlas
from convatlas.claims.claim import HOLDS, VERDICTS, Claim, Contradiction, Paper, Printed
from convatlas.claims.judge import judge, kept
from convatlas.claims.ledger import paper, papers
from convatlas.claims.measure import Bench
from convatlas.claims.show import text
from convatlas.errors import UserError

FAILED = "cannot be measured"


@dataclass(frozen=True, slots=True)
class Finding:
    """A claim measured now; ``measured`` is in the unit printed, or ``None`` without a measure."""

    paper: Paper
    claim: Claim
    measured: Printed | None
    verdict: str
    trouble: str = ""

    @property
    def changed(self) -> bool:
        """Whether the ledger says something else."""
        if self.claim.measure is None:
            return False
        counted = None if self.verdict == HOLDS else self.measured
        return (self.verdict, counted) != (self.claim.verdict, self.claim.counted)

    @property
    def full_verdict(self) -> str:
        """With the reason, or with what the ledger says instead."""
        if not self.changed:
            return self.claim.full_verdict
        now = self.trouble or _with(self.verdict, self.measured)
        return f"CHANGED: {now}; the ledger says {_with(self.claim.verdict, self.claim.counted)}"


def _with(verdict: str, counted: Printed | None) -> str:
    return verdict if counted is None else f"{verdict}, {text(counted)}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was asked of the ledger."""

    papers: tuple[Paper, ...]
    findings: tuple[Finding, ...]
    contradictions: tuple[tuple[str, Contradiction], ...]  # paper, what it says

    @property
    def changed(self) -> tuple[Finding, ...]:
        """Those that the ledger has otherwise."""
        return tuple(finding for finding in self.findings if finding.changed)

    @property
    def counts(self) -> dict[str, int]:
        """How many of each verdict, in a fixed order."""
        found = Counter(finding.verdict for finding in self.findings)
        return {verdict: found[verdict] for verdict in (*VERDICTS, FAILED) if found[verdict]}


def verify(network: str = "", paper_name: str = "") -> Verified:
    """The whole ledger, one paper's part, or what is said of one network.

    Raises `UserError` for a network or paper that is not known, with the nearest.
    """
    if network:
        atlas.entry(network)
    bench = Bench()
    asked = (paper(paper_name),) if paper_name else papers()
    findings = tuple(
        _finding(source, claim, bench)
        for source in asked
        for claim in source.claims
        if not network or about(claim, network)
    )
    return Verified(asked, findings, tuple(_contradictions(asked, findings)))


def about(claim: Claim, network: str) -> bool:
    """Whether a claim is about a network or measured on it."""
    measured = claim.measure.networks if claim.measure else frozenset()
    return network in (claim.network, *measured)


def _finding(source: Paper, claim: Claim, bench: Bench) -> Finding:
    if claim.measure is None:
        return Finding(source, claim, None, claim.verdict)
    try:
        measured = claim.measure.value(bench)
    except UserError as error:
        return Finding(source, claim, None, FAILED, f"{FAILED}: {error}")
    return Finding(source, claim, kept(measured, claim.unit), judge(claim, measured))


def _contradictions(
    asked: Iterable[Paper], findings: Iterable[Finding]
) -> Iterator[tuple[str, Contradiction]]:
    shown = {finding.claim.id for finding in findings}
    for source in asked:
        for contradiction in source.contradictions:
            if shown.intersection(contradiction.claims):
                yield source.name, contradiction
