"""The Graph itself: operations in the order they run, and the tensors they own."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from convatlas.graph.operation import Operation, Shape, elements
from convatlas.graph.sizes import Size
from convatlas.graph.source import Input, Unknown

BYTES = {
    **dict.fromkeys(("float64", "int64", "complex64"), 8),
    **dict.fromkeys(("float32", "int32"), 4),
    **dict.fromkeys(("float16", "bfloat16", "int16"), 2),
    **dict.fromkeys(("int8", "uint8", "bool"), 1),
    "complex128": 16,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A tensor of a network: trainable or frozen, or a buffer (``buffer``, never trainable).

    A tensor shared by several modules is one parameter with several names.
    """

    names: tuple[str, ...]
    shape: Shape
    trainable: bool = True
    buffer: bool = False
    dtype: str = "float32"

    @property
    def size(self) -> int:
        """How many numbers it holds."""
        return elements(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation as it was called; what it makes is known by its position in the graph."""

    operation: Operation
    inputs: tuple[int, ...]  # earlier positions; those behind `data` are read for their size alone
    data: int  # how many of the inputs are read
    path: str = ""  # the module it ran in
    parameters: tuple[int, ...] = ()  # positions in Graph.parameters
    dtype: str = "float32"  # of what it makes
    alias: bool = False  # makes no tensor of its own: a view of its first input, or in place


@dataclass(frozen=True, slots=True)
class Guard:
    """A comparison of sizes that the network's own code made, and how it came out."""

    left: Size
    relation: str
    right: Size
    outcome: bool
    inputs: tuple[int, ...]
    path: str

    def moved(self, places: Mapping[int, int]) -> "Guard":
        """The same guard where nodes stand elsewhere."""
        return replace(self, inputs=tuple(places[index] for index in self.inputs))


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A network as it ran once, good for other input sizes as far as its guards hold."""

    name: str
    nodes: tuple[Node, ...]
    inputs: tuple[Shape, ...]  # with the batch, for the `Input` nodes in order
    outputs: tuple[tuple[str, int], ...]  # name and position; a single output has the name ""
    parameters: tuple[Parameter, ...] = ()
    guards: tuple[Guard, ...] = ()
    training: bool = False
    notes: tuple[str, ...] = ()  # what a reader must know, such as a branch taken by values

    @cached_property
    def unknown(self) -> tuple[Node, ...]:
        """The operations whose cost is not known."""
        return tuple(node for node in self.nodes if is_unknown(node))

    @cached_property
    def unused(self) -> tuple[Parameter, ...]:
        """Parameters that no operation reads."""
        used = {index for node in self.nodes for index in node.parameters}
        return tuple(
            parameter
            for index, parameter in enumerate(self.parameters)
            if index not in used and not parameter.buffer
        )

    @cached_property
    def picture(self) -> int:
        """The position of the first input that has axes of a picture, or of the first input."""
        given = [n for n, node in enumerate(self.nodes) if isinstance(node.operation, Input)]
        pictures = (n for n, shape in zip(given, self.inputs, strict=True) if len(shape) > 2)
        return next(pictures, given[0])

    @cached_property
    def trainable(self) -> int:
        """Trainable parameters, each shared tensor once."""
        return sum(p.size for p in self.parameters if p.trainable and not p.buffer)

    @cached_property
    def frozen(self) -> int:
        """Parameters that are not trained."""
        return sum(p.size for p in self.parameters if not p.trainable and not p.buffer)

    @cached_property
    def buffered(self) -> int:
        """Numbers in buffers, such as the running statistics of batch normalisation."""
        return sum(p.size for p in self.parameters if p.buffer)

    @cached_property
    def steps(self) -> tuple["Step", ...]:
        """The nodes made ready for propagation."""
        numbers: dict[Operation, int] = {}
        return tuple(
            Step(
                numbers.setdefault(node.operation, len(numbers)),
                node.inputs[0] if node.inputs else -1,
                node.inputs[1:],
                node.operation,
                isinstance(node.operation, Input),
            )
            for node in self.nodes
        )


class Step(NamedTuple):
    """One node made ready: which operation (equal ones have one number) reads what."""

    number: int
    first: int  # -1: reads nothing
    others: tuple[int, ...]
    operation: Operation
    is_input: bool


def is_unknown(node: Node) -> bool:
    """Whether a node's cost is not known; seeing values in another way costs nothing."""
    return isinstance(node.operation, Unknown) and not node.operation.view
