"""Which pixels of its receptive field an output really reads.

Along one axis the offsets read are all sums of one tap of each layer; a map of both axes is their
product, because kernels are rectangles. Dilated layers on end leave holes in a regular grid, the
*gridding* of Wang et al. 2018, "Understanding convolution for semantic segmentation".
"""

from collections.abc import Iterable
from dataclasses import dataclass

from convatlas.arithmetic.field import field
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError

WIDEST = 20_000  # pixels of a field that are still looked at one by one


@dataclass(frozen=True, slots=True)
class Coverage:
    """For each row and each column of the field, the number of paths from it to the output.

    A pixel is reached by the product of both; 0 is a pixel never read.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def area(self) -> int:
        """Pixels of the field."""
        return len(self.rows) * len(self.columns)

    @property
    def read(self) -> int:
        """Pixels read at least once."""
        return sum(map(bool, self.rows)) * sum(map(bool, self.columns))

    @property
    def share(self) -> float:
        """Read pixels of the field; 1 means no holes."""
        return self.read / self.area

    @property
    def gridding(self) -> bool:
        """Whether there are holes."""
        return self.read < self.area

    def counts(self) -> tuple[tuple[int, ...], ...]:
        """Paths to the output from each pixel of the field."""
        return tuple(tuple(row * column for column in self.columns) for row in self.rows)


def coverage(layers: Iterable[tuple[Window, Window]]) -> Coverage:
    """Of a stack of layers, each given as its windows along height and width."""
    rows, columns = zip(*layers, strict=True)
    return Coverage(paths(rows), paths(columns))


def paths(windows: Iterable[Window]) -> tuple[int, ...]:
    """How many ways lead from each offset of the field to the output, along one axis.

    Raises `UserError` for a field so wide that counting would take too long.
    """
    windows = tuple(windows)
    size = field(windows).size
    if size > WIDEST:
        raise UserError(
            f"the receptive field is {size:,} pixels wide; coverage is counted up to {WIDEST:,}, "
            "use fewer layers or smaller strides and dilations"
        )
    ways, jump = [1] + [0] * (size - 1), 1
    for window in windows:
        ways = _spread(ways, window.kernel, window.dilation * jump)
        jump *= window.stride
    return tuple(ways)


def residues(ways: tuple[int, ...], jump: int) -> frozenset[int]:
    """The remainders by ``jump`` of the offsets read.

    The field of the next output lies ``jump`` further on, so a remainder that is missing means
    pixels which no output reads.
    """
    return frozenset(offset % jump for offset, count in enumerate(ways) if count)


def _spread(ways: list[int], kernel: int, step: int) -> list[int]:
    """Each offset leads on to ``kernel`` offsets, ``step`` apart.

    A running sum: what enters a window of taps at one end leaves it at the other.
    """
    spread = list(ways)
    for offset in range(step, len(spread)):
        spread[offset] += spread[offset - step]
        if offset >= kernel * step:
            spread[offset] -= ways[offset - kernel * step]
    return spread
