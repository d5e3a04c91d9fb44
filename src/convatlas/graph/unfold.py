"""The windows of a convolution laid out side by side, and added up again."""

from dataclasses import dataclass

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, shown
from convatlas.graph.sizes import Size, value
from convatlas.graph.window import Pair, Window, slid, windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfold:
    """``(N, C, H, W)`` to ``(N, C·kh·kw, L)``: a column of values for each of L windows."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[Pair, ...]
    dilation: tuple[int, ...]

    @property
    def windows(self) -> tuple[Window, ...]:
        """One window for each axis."""
        return windows(self.kernel, self.stride, self.padding, self.dilation)

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value of every window is copied."""
        *batch, maps, _, _ = inputs[0]
        count = elements(positions(self, inputs[0]))
        shape = (*batch, maps * elements(self.kernel), count)
        return Measure(shape, 0, elements(shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """The other way: columns added up where their windows lie on maps of ``size``."""

    size: tuple[Size, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[Pair, ...]
    dilation: tuple[int, ...]

    @property
    def windows(self) -> tuple[Window, ...]:
        """One window for each axis."""
        return windows(self.kernel, self.stride, self.padding, self.dilation)

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value of every column is added."""
        *batch, columns, count = inputs[0]
        size = tuple(value(side, inputs) for side in self.size)
        maps = columns // elements(self.kernel)
        made = (*batch, maps, *size)
        fits = elements(positions(self, made)) == count
        if not fits or maps * elements(self.kernel) != columns:
            raise ShapeError(f"cannot fold {shown(inputs[0])} into maps of {shown(size)}")
        return Measure(made, 0, elements(inputs[0]))


def positions(operation: Unfold | Fold, maps: Shape) -> tuple[int, ...]:
    """How many windows lie along height and width of maps."""
    return tuple(map(slid, operation.windows, maps[-2:]))
