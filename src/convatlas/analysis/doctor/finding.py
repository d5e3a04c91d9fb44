"""What the doctor finds."""

from dataclasses import dataclass
from typing import Literal

Weight = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing: how bad, where, what, and the changes that mend it, the smallest first."""

    weight: Weight
    what: str  # one of a few fixed words, for programs
    place: str  # a layer, or "" for the whole network
    says: str
    changes: tuple[str, ...] = ()


def named(path: str, fallback: str) -> str:
    """A layer by its path, or by what it is where it has none."""
    return path or fallback
