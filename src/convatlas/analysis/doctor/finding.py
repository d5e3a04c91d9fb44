"""What the doctor finds."""

from dataclasses import dataclass
from typing import Literal

Weight = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing: how bad, where, what, and the changes that mend it, the smallest first.

    An error stops the network; a warning is work or sight lost that a change would save; a note is
    as it must be in many sound networks, and good to know.
    """

    weight: Weight
    what: str  # one of a few fixed words, for programs
    place: str  # a layer, or "" for the whole network
    says: str
    changes: tuple[str, ...] = ()
