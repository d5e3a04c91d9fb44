"""How the axes of the picture are walked back through one operation."""

from collections.abc import Sequence
from typing import NamedTuple

from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.field_axes import Field
from convatlas.graph.field_rules import RULES, lost
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.pixels import (
    Back,
    Line,
    bordered,
    divided,
    everything,
    interpolated,
    moved,
    same,
    shuffled,
    spread_from,
    through,
)
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.rearrange import (
    Flatten,
    Pad,
    PixelShuffle,
    Resize,
    Roll,
    Select,
    Slice,
    View,
)
from convatlas.graph.resampling import grid
from convatlas.graph.sizes import value

# These give an axis of length 1 positions by themselves; elsewhere it is stretched.
SPREAD = (ConvTransposed, Resize, Pad, PixelShuffle, Conv, Pool, AdaptivePool)


class Passage(NamedTuple):
    """One operation as it was called; ``clip``: real borders, otherwise as if there were none."""

    operation: Operation
    shapes: Sequence[Shape]  # of its inputs
    made: Shape
    clip: bool

    def ways(self, place: int, before: Field, after: tuple[int, ...]) -> tuple[Back, Back]:
        """Both axes of the picture, back to the input at ``place``; ``after``: where they are."""
        vertical, horizontal = (
            self._way(self.shapes[place], dim, then)
            for dim, then in zip(before.dims, after, strict=True)
        )
        return vertical, horizontal

    def kept(self, place: int, fields: Sequence[Field | None], after: Field) -> tuple[int, ...]:
        """Where the axes of one input alone are in the output; -1 if it is not where they all are.

        A product loses some axes of each factor while the other keeps its own at the same place.
        """
        rule = RULES.get(type(self.operation), lost)
        alone = [field if at == place else None for at, field in enumerate(fields)]
        alone += [None] * (len(self.shapes) - len(fields))
        field = rule(self.operation, alone, self.shapes, self.made)
        dims = field.dims if field else (-1, -1)
        return tuple(one if one == all_ else -1 for one, all_ in zip(dims, after.dims, strict=True))

    def _way(self, shape: Shape, dim: int, then: int) -> Back:
        if dim < 0:
            return everything(1)
        operation, length = self.operation, shape[dim]
        if then < 0 or (length == 1 and self.made[then] != 1 and not isinstance(operation, SPREAD)):
            return everything(length)
        if isinstance(operation, Conv | Pool | SubSampling | ConvTransposed):
            axis = dim - (len(self.made) - len(operation.kernel))
            return _window(operation, axis) if axis >= 0 else same
        if isinstance(operation, Resize | AdaptivePool):
            return self._resampled(operation, length, dim, then)
        if isinstance(operation, PixelShuffle):
            return shuffled(operation.factor, operation.inverse)
        if isinstance(operation, View | Flatten) and length != self.made[then]:
            return everything(length)  # it took another axis in
        return self._shift(shape, dim)

    def _resampled(
        self, operation: Resize | AdaptivePool, length: int, dim: int, then: int
    ) -> Back:
        if isinstance(operation, AdaptivePool) or operation.mode == "area":
            return divided(length, self.made[then])
        axis = dim - (len(self.made) - len(operation.sizes or operation.factors or ()))
        start, step = grid(operation, axis, length, self.made[then])
        return interpolated(start, step, operation.mode, length if self.clip else None)

    def _shift(self, shape: Shape, dim: int) -> Back:
        """What moves positions without mixing them."""
        operation, shapes = self.operation, tuple(self.shapes)
        if isinstance(operation, Pad):
            first = len(shape) - len(operation.widths)
            if dim >= first:
                before = value(operation.widths[dim - first][0], shapes)
                mode = operation.mode if self.clip else "constant"
                return bordered(before, shape[dim], mode)
        if isinstance(operation, Slice) and operation.axis % len(shape) == dim:
            start = value(operation.start, shapes)
            return moved(max(start + shape[dim], 0) if start < 0 else start, operation.step)
        if isinstance(operation, Select) and operation.axis % len(shape) == dim:
            index = value(operation.index, shapes) % shape[dim]
            return lambda line: Line(1, index) if line.bits else line
        if isinstance(operation, Roll):
            return self._around(shape, dim)
        return same

    def _around(self, shape: Shape, dim: int) -> Back:
        """What comes around the edge comes from the other side, if there are edges."""
        assert isinstance(self.operation, Roll)
        pairs = zip(self.operation.axes, self.operation.shifts, strict=True)
        by = sum(value(shift, tuple(self.shapes)) for axis, shift in pairs if axis == dim)
        if not self.clip:
            return moved(-by)
        return lambda line: Line.of({(position - by) % shape[dim] for position in line})


def _window(operation: Conv | Pool | SubSampling | ConvTransposed, axis: int) -> Back:
    if not isinstance(operation, ConvTransposed):
        return through(operation.windows[axis])
    return spread_from(
        *(operation.kernel[axis], operation.stride[axis]),
        *(operation.padding[axis], operation.dilation[axis]),
    )
