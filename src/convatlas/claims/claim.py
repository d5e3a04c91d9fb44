"""One published figure, and the papers they are printed in."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from convatlas.claims.measure import Measure

Printed = int | Decimal | str | tuple["Printed", ...]
Provenance = Literal["paper", "second-hand", "unchecked", "notes", "derived"]
Reading = Literal["right", "imprecise", "wrong"]

PROVENANCE = {
    "paper": "read in the text of the paper named",
    "second-hand": "read in another text that quotes it",
    "unchecked": "from memory, not yet compared with a text",
    "notes": "read in the lecture notes that the project began with",
    "derived": "printed nowhere: worked out from what the paper does print",
}
HOLDS, ROUNDED, DIFFERS = "holds", "holds (rounded)", "differs"
TRAINING, NOT_COMPUTABLE = "needs training", "not computable"
VERDICTS = (HOLDS, ROUNDED, DIFFERS, TRAINING, NOT_COMPUTABLE)
MEASURED = (HOLDS, ROUNDED, DIFFERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A figure as printed, where, how it is measured here, and the verdict.

    ``why`` completes the verdicts *differs* and *not computable*; ``counted`` is what was measured
    where that is not exactly as printed, in the unit printed, so that a change shows there too.
    ``reading`` judges a statement of the lecture notes, ``instead`` says what is right.
    """

    id: str
    network: str  # an entry of the atlas, or "" where none is meant
    what: str
    printed: Printed
    unit: str
    source: str  # a key of the paper's sources
    place: str
    provenance: Provenance
    verdict: str
    why: str = ""
    measure: Measure | None = None
    half: Decimal | None = None  # half a unit of the last place; by default as the digits say
    under: bool = False  # printed as an upper bound
    counted: Printed | None = None
    reading: Reading | None = None
    instead: str = ""
    note: str = ""

    @property
    def full_verdict(self) -> str:
        """With the reason."""
        return f"{self.verdict}: {self.why}" if self.why else self.verdict


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Where a paper disagrees with itself, and the figures that show it."""

    says: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One file of the ledger; the first of its sources is the paper itself."""

    name: str
    title: str
    sources: dict[str, str]
    contradictions: tuple[Contradiction, ...]
    claims: tuple[Claim, ...]

    @property
    def own(self) -> str:
        """The key of the source that is the paper itself."""
        return next(iter(self.sources))
