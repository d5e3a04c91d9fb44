"""What a network costs, operation by operation, for any input."""

from collections.abc import Iterator
from dataclasses import dataclass

from convatlas.graph.field import fields
from convatlas.graph.field_axes import Field
from convatlas.graph.graph import BYTES, Graph, Node, is_unknown
from convatlas.graph.liveness import Liveness, liveness
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import Propagation, propagate

CONVENTION = (
    "MAC = one multiply-add of a convolution, dense layer or matrix product, biases not counted. "
    "A shared tensor counts once."
)


@dataclass(frozen=True, slots=True)
class Line:
    """One operation: what it makes, owns and does.

    ``parameters`` are counted where they are first read; ``macs`` is ``None`` where it is not
    known; ``bytes`` is what it allocates, 0 for a view or a change in place.
    """

    node: Node
    reads: tuple[Shape, ...]
    output: Shape
    parameters: int
    macs: int | None
    work: int
    bytes: int
    field: Field | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A network at one input."""

    graph: Graph
    made: Propagation
    live: Liveness
    lines: tuple[Line, ...]

    @property
    def parameters(self) -> int:
        """Trainable and frozen."""
        return self.graph.trainable + self.graph.frozen

    @property
    def macs(self) -> int:
        """Of all operations whose MACs are known."""
        return self.made.macs

    @property
    def weight_bytes(self) -> int:
        """Of parameters and buffers."""
        return sum(p.size * BYTES[p.dtype] for p in self.graph.parameters)


def cost(graph: Graph, inputs: tuple[Shape, ...] | None = None) -> Cost:
    """Everything a table shows, for input shapes with their batch; raises `DoesNotFit`."""
    made = propagate(graph, inputs)
    live = liveness(graph, made)
    seen = fields(graph, made)
    return Cost(graph=graph, made=made, live=live, lines=tuple(_lines(graph, made, live, seen)))


def _lines(
    graph: Graph, made: Propagation, live: Liveness, seen: tuple[Field | None, ...]
) -> Iterator[Line]:
    counted: set[int] = set()
    for index, measure in enumerate(made.measures):
        node = graph.nodes[index]
        fresh = [p for p in dict.fromkeys(node.parameters) if p not in counted]
        counted.update(fresh)
        yield Line(
            node,
            tuple(made.measures[i].shape for i in node.inputs[: node.data]),
            measure.shape,
            sum(graph.parameters[p].size for p in fresh if not graph.parameters[p].buffer),
            None if is_unknown(node) else measure.macs,
            measure.work,
            live.allocated[index],
            seen[index],
        )
