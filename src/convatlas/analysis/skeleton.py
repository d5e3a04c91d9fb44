"""A graph without its repetitions: what is left to compute where only input sizes matter.

The channels of maps do not depend on the input's size, and they fitted when the graph was captured.
So a layer of a residual or dense network only asks something new if its window or the height and
width it works on are new, and a thousand layers come down to a dozen steps.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple

from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Graph, Guard
from convatlas.graph.norm import BatchNorm, GroupNorm, ResponseNorm
from convatlas.graph.operation import Operation, Shape, ShapeError
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.product import Dense
from convatlas.graph.propagate import Propagation, propagate
from convatlas.graph.rearrange import Concat, Pad, Resize, Slice
from convatlas.graph.sizes import COMPARISONS, value
from convatlas.graph.source import Beside

SEEING = (Conv, ConvTransposed, Pool, SubSampling, AdaptivePool, Arithmetic, Pad, Resize)
KEEPING = (Activation, Dropout, Beside, BatchNorm, GroupNorm, ResponseNorm)


class Value(NamedTuple):
    """What a node makes: maps, a cell for their height and width; or anything, a cell for all."""

    cell: int
    maps: int = 0  # 0: the cell holds the whole shape


class Step(NamedTuple):
    """One distinct operation on values of distinct sizes."""

    operation: Operation
    reads: tuple[Value, ...]
    makes: Value


@dataclass(frozen=True, slots=True)
class Skeleton:
    """The distinct steps of a graph; the inputs are the first cells."""

    inputs: tuple[Value, ...]
    cells: int
    steps: tuple[Step, ...]
    guards: tuple[tuple[Guard, tuple[Value, ...]], ...]
    batched: tuple[Value, ...]  # results that have the batch in front, and must keep it

    def walked(self, inputs: tuple[Shape, ...]) -> "Walk":
        """Take the steps for inputs of these shapes."""
        batch = inputs[0][0]
        made: list[Shape] = [()] * self.cells
        for shape, given in zip(inputs, self.inputs, strict=True):
            made[given.cell] = shape[2:] if given.maps else shape
        for operation, reads, (cell, maps) in self.steps:
            shapes = tuple([(batch, m, *made[c]) if m else made[c] for c, m in reads])
            try:
                shape = operation.measure(shapes).shape
            except ShapeError:
                return Walk(fits=False, dense=isinstance(operation, Dense))
            assert not maps or shape[:1] == (batch,), "a step taken for maps makes something else"
            made[cell] = shape[2:] if maps else shape
        if any(not maps and made[cell][0] != batch for cell, maps in self.batched):
            return Walk(fits=False)  # a view took values of one picture for another
        return Walk(told=all(_holds(guard, made, at, batch) for guard, at in self.guards))


class Walk(NamedTuple):
    """Whether an input is taken.

    ``dense``: all maps were there, and only a dense layer of another size was in the way.
    ``told``: the network's own code goes the way of the graph.
    """

    fits: bool = True
    dense: bool = False
    told: bool = True


def skeleton(graph: Graph) -> Skeleton:
    """The distinct steps of a graph, in the order in which they first come up."""
    build = _Build(propagate(graph))
    values: list[Value] = []
    inputs: list[Value] = []
    for number, first, others, operation, is_input in graph.steps:
        reads = (() if first < 0 else (values[first],)) + tuple(values[other] for other in others)
        if is_input:
            of_maps = len(graph.inputs[len(inputs)]) > 2
            inputs.append(build.fresh(len(values), of_maps=of_maps))
            values.append(inputs[-1])
        else:
            values.append(build.value(len(values), number, operation, reads))
    guards = tuple(
        (guard, tuple(values[index] for index in guard.inputs)) for guard in graph.guards
    )
    batched = tuple(
        values[index] for _, index in graph.outputs if build.shape(index)[:1] == graph.inputs[0][:1]
    )
    return Skeleton(tuple(inputs), build.cells, tuple(build.steps), guards, batched)


class _Build:
    """Steps being gathered; the propagation says how many maps there are, never their size."""

    def __init__(self, made: Propagation) -> None:
        self._made = made
        self._known: dict[Hashable, Value] = {}
        self.cells = 0
        self.steps: list[Step] = []

    def fresh(self, node: int, *, of_maps: bool) -> Value:
        """A cell of its own for what a node makes."""
        self.cells += 1
        return Value(self.cells - 1, self._maps(node) if of_maps else 0)

    def value(
        self, node: int, number: int, operation: Operation, reads: tuple[Value, ...]
    ) -> Value:
        """What a node makes; a step for it unless there is one, or none is needed."""
        if _keeps(operation, reads):
            return Value(reads[0].cell, self._maps(node)) if reads[0].maps else reads[0]
        of_maps = bool(reads) and all(read.maps for read in reads) and _sees_maps(operation)
        key = _asks(operation, reads) if of_maps else (number, reads)
        made = self._known.get(key)
        if made is None:
            makes = reads[0] if _is_check(operation) else self.fresh(node, of_maps=of_maps)
            made = self._known[key] = makes
            self.steps.append(Step(operation, reads, makes))
        return Value(made.cell, self._maps(node)) if made.maps else made

    def shape(self, node: int) -> Shape:
        """What a node made when the graph was captured."""
        return self._made.measures[node].shape

    def _maps(self, node: int) -> int:
        return self.shape(node)[1]


def _asks(operation: Operation, reads: tuple[Value, ...]) -> Hashable:
    """What an operation asks of height and width, whatever the number of maps."""
    cells = tuple(read.cell for read in reads)
    if isinstance(operation, Conv | Pool | SubSampling):
        return operation.windows, isinstance(operation, Pool) and operation.ceil, cells
    if isinstance(operation, AdaptivePool):
        return operation.size, cells
    if isinstance(operation, Arithmetic | Concat | BatchNorm):
        return type(operation), cells
    return operation, reads


def _sees_maps(operation: Operation) -> bool:
    """Whether maps go in and out, their number set by the operation alone."""
    if isinstance(operation, Concat):
        return operation.axis == 1
    if isinstance(operation, Slice):
        return operation.axis > 1
    return isinstance(operation, SEEING) or _is_check(operation)


def _is_check(operation: Operation) -> bool:
    """Fails for some sizes and leaves them as they are."""
    return isinstance(operation, BatchNorm) and operation.training


def _keeps(operation: Operation, reads: tuple[Value, ...]) -> bool:
    """Whether what is made surely has the size of what is read, whatever that is."""
    if not reads or _is_check(operation):
        return False
    if isinstance(operation, Conv):
        return bool(reads[0].maps) and all(
            window.stride == 1 and window.before + window.after == window.reach
            for window in operation.windows
        )
    together = all(read.cell == reads[0].cell for read in reads)
    if isinstance(operation, Arithmetic):
        return together
    if isinstance(operation, Concat):
        return together and bool(reads[0].maps) and operation.axis == 1
    return isinstance(operation, KEEPING)


def _holds(guard: Guard, made: list[Shape], at: tuple[Value, ...], batch: int) -> bool:
    shapes = tuple([(batch, m, *made[c]) if m else made[c] for c, m in at])
    left, right = value(guard.left, shapes), value(guard.right, shapes)
    return COMPARISONS[guard.relation](left, right) == guard.outcome
