"""Several ways to build the same thing, weighed against each other.

A block is several branches side by side on one input, each a chain of convolutions, whose outputs
are put on top of each other; a plain layer is a block of one branch of one layer. Pools in a
branch cost nothing here and keep the size, so they are left out.
"""

from dataclasses import dataclass
from math import prod

from convatlas.arithmetic.convolution import Convolution, Cost, chain, total
from convatlas.arithmetic.field import field
from convatlas.arithmetic.geometry import Pair, Shape

Branch = tuple[Convolution, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """Branches side by side under one name."""

    name: str
    branches: tuple[Branch, ...]

    @property
    def layers(self) -> int:
        """The longest branch: also how many non-linearities a value passes."""
        return max(map(len, self.branches))

    @property
    def taps(self) -> int:
        """Σ k·k over the layers of all branches: the weights if every layer were one map wide."""
        return sum(prod(layer.geometry.kernel) for branch in self.branches for layer in branch)

    def cost(self, shape: Shape) -> Cost:
        """All branches together; the output's channels are the sum of theirs."""
        costs = [total(chain(branch, shape)) for branch in self.branches]
        channels = sum(cost.output[0] for cost in costs)
        whole = total(tuple(costs))
        return Cost((channels, *whole.output[1:]), whole.weights, whole.biases, whole.macs)

    def field(self, size: Pair) -> Pair:
        """The largest receptive field of any branch on each axis, on a map of ``size``."""
        rows, columns = (
            max(
                field(layer.geometry.windows(size)[axis] for layer in branch).size
                for branch in self.branches
            )
            for axis in (0, 1)
        )
        return rows, columns


def side_by_side(shape: Shape, kernels: tuple[tuple[int, int], ...]) -> int:
    """MACs of square kernels side by side at full size: c_in·H·W·Σ k²·c_out.

    ``kernels`` are (k, c_out).
    """
    channels, height, width = shape
    return channels * height * width * sum(kernel**2 * c_out for kernel, c_out in kernels)
