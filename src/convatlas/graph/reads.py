"""Exactly which pixels a value reads: coverage, gridding, pixels that are never read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from convatlas.errors import UserError
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.field import fields
from convatlas.graph.field_axes import Field
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.pixels import (
    Back,
    Line,
    Pixels,
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
from convatlas.graph.propagate import Propagation
from convatlas.graph.rearrange import Pad, PixelShuffle, Resize, Select, Slice
from convatlas.graph.sizes import value

Position = tuple[int, int] | Literal["all"]


@dataclass(frozen=True, slots=True)
class Coverage:
    """The pixels that one position reads, borders not clipped."""

    pixels: Pixels

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the box around them: the receptive field."""
        return self.pixels.box[2:]

    @property
    def read(self) -> int:
        """How many pixels of the box are read."""
        return self.pixels.number

    @property
    def share(self) -> float:
        """The share of the box that is read; below 1 there are holes (gridding)."""
        height, width = self.size
        return self.read / (height * width) if self.read else 0.0


def coverage(
    graph: Graph, made: Propagation, node: int, position: tuple[int, int] = (0, 0)
) -> Coverage:
    """What one position of a node reads of the first picture, as if there were no borders."""
    return Coverage(_walk(graph, made, node, Pixels.block(*_lines(position)), clip=False))


def reads(graph: Graph, made: Propagation, node: int, position: Position) -> Pixels:
    """The pixels of the first picture that a position of a node, or all of them, really reads."""
    if position == "all":
        height, width = _extent(fields(graph, made)[node], made.measures[node].shape)
        start = Pixels.block(Line.span(height), Line.span(width))
    else:
        start = Pixels.block(*_lines(position))
    return _walk(graph, made, node, start, clip=True)


def _lines(position: tuple[int, int]) -> tuple[Line, Line]:
    return Line(1, position[0]), Line(1, position[1])


def _walk(graph: Graph, made: Propagation, node: int, start: Pixels, *, clip: bool) -> Pixels:
    found = fields(graph, made)
    source = graph.picture
    field = found[source]
    if field is None or len(field.axes) != 2:
        raise UserError(f"{graph.name} takes no pictures (N×C×H×W), so it reads no pixels")
    wanted: dict[int, Pixels] = {node: start}
    for index in range(node, source, -1):
        pixels = wanted.pop(index, None)
        field = found[index]
        if pixels is None or field is None:
            continue
        entry = graph.nodes[index]
        shapes = [made.measures[i].shape for i in entry.inputs]
        for place, into in enumerate(entry.inputs[: entry.data]):
            before = found[into]
            if before is None:
                continue
            ways = _ways(
                entry.operation, place, (before, field), shapes, made.measures[index].shape
            )
            read = pixels.back(*ways)
            if clip:
                read = read.within(*_extent(before, shapes[place]))
            wanted[into] = wanted[into].joined(read) if into in wanted else read
    return wanted.get(source, Pixels({}))


def _extent(field: Field | None, shape: Shape) -> tuple[int, int]:
    """Positions along the picture's axes; an axis that was read as a whole has one."""
    dims = field.dims if field else (-1, -1)
    height, width = (shape[dim] if dim >= 0 else 1 for dim in dims)
    return height, width


def _ways(
    operation: Operation,
    place: int,
    around: tuple[Field, Field],
    shapes: Sequence[Shape],
    made: Shape,
) -> tuple[Back, Back]:
    """How each axis of the picture is walked back through one operation."""
    before, after = around
    vertical, horizontal = (
        _way(operation, (dim, then), shapes, place, made)
        for dim, then in zip(before.dims, after.dims, strict=True)
    )
    return vertical, horizontal


def _way(
    operation: Operation,
    dims: tuple[int, int],
    shapes: Sequence[Shape],
    place: int,
    made: Shape,
) -> Back:
    dim, then = dims
    if dim < 0:
        return everything(1)
    length = shapes[place][dim]
    if then < 0 or (length == 1 and made[then] != 1 and not isinstance(operation, SPREAD)):
        return everything(length)
    if isinstance(operation, Conv | Pool | SubSampling):
        axis = dim - (len(made) - len(operation.kernel))
        return through(operation.windows[axis]) if axis >= 0 else same
    if isinstance(operation, ConvTransposed):
        axis = dim - (len(made) - len(operation.kernel))
        return spread_from(
            *(operation.kernel[axis], operation.stride[axis]),
            *(operation.padding[axis], operation.dilation[axis]),
        )
    if isinstance(operation, AdaptivePool):
        return divided(length, made[then])
    if isinstance(operation, Resize):
        return interpolated(length, made[then], operation.mode, operation.align_corners)
    if isinstance(operation, PixelShuffle):
        return shuffled(operation.factor, operation.inverse)
    return _shift(operation, dim, shapes)


SPREAD = (ConvTransposed, Resize, Pad, PixelShuffle, Conv, Pool, AdaptivePool)


def _shift(operation: Operation, dim: int, shapes: Sequence[Shape]) -> Back:
    """What moves positions without mixing them."""
    shape = shapes[0]
    if isinstance(operation, Pad):
        first = len(shape) - len(operation.widths)
        if dim >= first:
            return moved(-value(operation.widths[dim - first][0], tuple(shapes)))
    if isinstance(operation, Slice) and operation.axis % len(shape) == dim:
        start = value(operation.start, tuple(shapes))
        return moved(start + shape[dim] if start < 0 else start, operation.step)
    if isinstance(operation, Select) and operation.axis % len(shape) == dim:
        index = value(operation.index, tuple(shapes)) % shape[dim]
        return lambda line: Line(1, index) if line.bits else line
    return same
