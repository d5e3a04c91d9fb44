"""A network that fails in the middle of an input."""

from convatlas.analysis.cost import Cost
from convatlas.errors import UserError


class BrokenOff(UserError):
    """An input that a network does not take to the end; ``made`` is the cost up to there.

    ``why`` is the failure alone, without the way out.
    """

    def __init__(self, why: str, made: Cost, way_out: str) -> None:
        super().__init__(f"{why}; {way_out}" if way_out else why)
        self.why, self.made, self.way_out = why, made, way_out
