"""Exactly which pixels a value reads: coverage, gridding, pixels that are never read."""

from dataclasses import dataclass
from typing import Literal

from convatlas.errors import UserError
from convatlas.graph.blocks import Blocks
from convatlas.graph.field import fields
from convatlas.graph.field_axes import Field
from convatlas.graph.graph import Graph
from convatlas.graph.operation import Shape
from convatlas.graph.pixels import Line, Pixels
from convatlas.graph.propagate import Propagation
from convatlas.graph.source import Input
from convatlas.graph.ways import Passage

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
    seen = _seen(graph, made)
    return Coverage(_walk(graph, made, seen, {node: Pixels.block(*_lines(position))}, clip=False))


def reads(graph: Graph, made: Propagation, node: int, position: Position) -> Pixels:
    """The pixels of the first picture that a position of a node, or all of them, really reads.

    Exact wherever positions can be followed; where maps are joined along an axis of the picture or
    taken apart by a view, every position counts as reading what all of them do.
    Raises `UserError` for a position that the node does not have.
    """
    seen = _seen(graph, made)
    height, width = _extent(seen[node], made.measures[node].shape)
    if position == "all":
        start = Pixels.block(Line.span(height), Line.span(width))
    else:
        row, column = position
        if not (0 <= row < height and 0 <= column < width):
            raise UserError(
                f"there is no position {row}, {column} on a map of {height}×{width}; "
                f"rows go from 0 to {height - 1}, columns from 0 to {width - 1}"
            )
        start = Pixels.block(*_lines(position))
    return _walk(graph, made, seen, {node: start}, clip=True)


def _lines(position: tuple[int, int]) -> tuple[Line, Line]:
    return Line(1, position[0]), Line(1, position[1])


def _seen(graph: Graph, made: Propagation) -> tuple[Field | None, ...]:
    """Fields on the first picture."""
    before = graph.nodes[: graph.picture]
    seen = fields(graph, made, sum(isinstance(node.operation, Input) for node in before))
    start = seen[graph.picture]
    if start is None or len(start.axes) != 2:
        raise UserError(f"{graph.name} takes no pictures (N×C×H×W), so it reads no pixels")
    return seen


def _walk(
    graph: Graph,
    made: Propagation,
    seen: tuple[Field | None, ...],
    start: dict[int, Pixels],
    *,
    clip: bool,
) -> Pixels:
    """From the pixels wanted of some nodes back to those of the picture."""
    wanted = {node: Blocks.of(pixels) for node, pixels in start.items()}
    for index in range(max(wanted), graph.picture, -1):
        blocks, after = wanted.pop(index, None), seen[index]
        if blocks is None or after is None:
            continue
        node = graph.nodes[index]
        shapes = [made.measures[i].shape for i in node.inputs]
        passage = Passage(node.operation, shapes, made.measures[index].shape, clip)
        fields_in = [seen[into] for into in node.inputs[: node.data]]
        for place, (into, before) in enumerate(zip(node.inputs, fields_in, strict=False)):
            if before is None:
                continue
            then = after.dims if node.data == 1 else passage.kept(place, fields_in, after)
            read = blocks.back(*passage.ways(place, before, then))
            if clip:
                read = read.within(*_extent(before, shapes[place]))
            wanted[into] = wanted[into].joined(read) if into in wanted else read
    return wanted[graph.picture].pixels if graph.picture in wanted else Pixels({})


def _extent(field: Field | None, shape: Shape) -> tuple[int, int]:
    """Positions along the picture's axes; an axis that was read as a whole has one."""
    dims = field.dims if field else (-1, -1)
    height, width = (shape[dim] if dim >= 0 else 1 for dim in dims)
    return height, width
