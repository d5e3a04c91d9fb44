"""Pooling: the largest or the mean of each window, channel by channel, without parameters."""

from dataclasses import dataclass
from math import inf
from typing import Literal

from convatlas.arithmetic.convolution import Cost
from convatlas.arithmetic.geometry import Geometry, Pair, Shape, fitted
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError

Grid = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """A pool; windows overlap when the stride is smaller than the kernel.

    ``ceil`` rounds odd sizes up. ``count_include_pad`` lets the zeros of the padding count in a
    mean, as torch does unless told otherwise; what hangs over the padding never counts.
    """

    kind: Literal["max", "avg"]
    geometry: Geometry
    ceil: bool = False
    count_include_pad: bool = True

    def __post_init__(self) -> None:
        if self.kind == "avg" and max(self.geometry.dilation) > 1:
            raise UserError("an average pool has no dilation; leave it out or use a max pool")
        for pad, kernel in zip(self.geometry.pads, self.geometry.kernel, strict=True):
            if not isinstance(pad, str) and pad > kernel // 2:
                raise UserError(
                    f"a padding of {pad} could leave a window nothing but padding; a pool of "
                    f"{kernel} takes at most {kernel // 2}, as in torch"
                )

    @property
    def overlapping(self) -> bool:
        """Whether neighbouring windows share pixels."""
        pairs = zip(self.geometry.stride, self.geometry.kernel, strict=True)
        return any(stride < kernel for stride, kernel in pairs)

    def windows(self, size: Pair) -> tuple[Window, Window]:
        """Along each axis of a map of ``size``."""
        return self.geometry.windows(size, ceil=self.ceil)

    def cost(self, shape: Shape) -> Cost:
        """The channels stay; neither parameters nor multiply-adds."""
        rows, columns = self.windows(shape[1:])
        height, width = fitted(rows, shape[1], "height"), fitted(columns, shape[2], "width")
        return Cost((shape[0], height, width), 0, 0, 0)

    def values(self, grid: Grid) -> Grid:
        """The pooled values of one channel."""
        size = len(grid), len(grid[0])
        height, width = self.cost((1, *size)).output[1:]
        return tuple(
            tuple(self._value(grid, size, (row, column)) for column in range(width))
            for row in range(height)
        )

    def _value(self, grid: Grid, size: Pair, place: Pair) -> float:
        rows, columns = self.windows(size)
        seen = [
            grid[row][column]
            for row in rows.read(place[0], size[0])
            for column in columns.read(place[1], size[1])
        ]
        if self.kind == "max":
            return max(seen, default=-inf)  # a dilated window can miss every pixel
        if not self.count_include_pad:
            return sum(seen) / len(seen)
        return sum(seen) / (
            _padded_length(rows, place[0], size[0]) * _padded_length(columns, place[1], size[1])
        )


def _padded_length(window: Window, place: int, size: int) -> int:
    """Pixels under a window that are input or padding; the overhang of ``ceil`` is neither."""
    first = place * window.stride - window.border[0]
    return min(first + window.kernel, size + window.border[1]) - first
