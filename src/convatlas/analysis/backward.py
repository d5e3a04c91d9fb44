"""What is alive during one step of training: forward, then backward, operation by operation.

A tensor is alive from the operation that makes it to the last that reads it; what autograd keeps,
to the operation's turn on the way back. A gradient is made when it is needed and goes when it has
been used. The network's inputs and results are held by whoever calls it.
"""

from dataclasses import dataclass

from convatlas.analysis.tape import Tape
from convatlas.analysis.value import Call
from convatlas.graph.graph import BYTES, Graph
from convatlas.graph.pointwise import Arithmetic, Dropout
from convatlas.graph.rearrange import (
    Concat,
    Flatten,
    Permute,
    Reduce,
    Squeeze,
    Unsqueeze,
    View,
)
from convatlas.graph.source import Constant, Input

# Their gradient is the same memory seen in another way.
VIEWS = (View, Flatten, Permute, Squeeze, Unsqueeze, Concat)
SAME = {"add", "sub", "subtract", "clone", "contiguous"}


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes alive while each node runs, forward and backward; 0 where it has no way back.

    ``gradients``: bytes of the weights' gradients at the end.
    """

    forward: tuple[int, ...]
    backward: tuple[int, ...]
    gradients: int


def step(graph: Graph, tape: Tape) -> Step:
    """One step of training on a network without gradients as yet."""
    held = _held(graph, tape)
    forward, now = _forward(graph, tape, held)
    return _Backward(graph, tape, held, now).run(forward)


def _held(graph: Graph, tape: Tape) -> frozenset[int | None]:
    """Storages that stay whatever happens: inputs and results."""
    inputs = (i for i, node in enumerate(graph.nodes) if isinstance(node.operation, Input))
    results = (index for _, index in graph.outputs)
    return frozenset(tape.values[index].storage for index in (*inputs, *results))


def _forward(graph: Graph, tape: Tape, held: frozenset[int | None]) -> tuple[tuple[int, ...], int]:
    """Bytes alive while each node runs, and at the end."""
    stays = held | {storage for kept in tape.kept for storage in kept}
    last: dict[int, int] = {}
    for index, node in enumerate(graph.nodes):
        for place in (*node.inputs[: node.data], index):
            storage = tape.values[place].storage
            if storage is not None:
                last[storage] = index
    gone: list[list[int]] = [[] for _ in graph.nodes]
    for storage, index in last.items():
        if storage not in stays:
            gone[index].append(storage)
    alive: list[int] = []
    now = 0
    for index, kept in enumerate(tape.kept):
        now += tape.sizes[index]
        now += sum(tape.sizes[storage] for storage in kept if storage >= len(graph.nodes))
        alive.append(now)
        now -= sum(tape.sizes[storage] for storage in gone[index])
    return tuple(alive), now


class _Backward:
    """The way back: gradients as numbered pieces of memory with as many owners as hold them."""

    def __init__(self, graph: Graph, tape: Tape, held: frozenset[int | None], alive: int) -> None:
        self.graph, self.tape, self.held, self.alive = graph, tape, held, alive
        self.most = alive
        self.pieces: list[list[int]] = []  # bytes, owners
        self.of: dict[int, int] = {}  # node: piece
        self.keepers: dict[int, int] = {}
        self.weights: set[int] = set()
        self.gradients = 0
        for kept in tape.kept:
            for storage in kept:
                self.keepers[storage] = self.keepers.get(storage, 0) + 1

    def run(self, forward: tuple[int, ...]) -> Step:
        """From the results back to the first weight."""
        backward = [0] * len(forward)
        for _, index in self.graph.outputs:
            if self.tape.values[index].grad and index not in self.of:
                self.of[index] = self.made(self.tape.values[index].size)
        for index in range(len(forward) - 1, -1, -1):
            if index in self.of:
                self.most = self.alive
                self.pass_back(index)
                backward[index] = self.most
        return Step(forward, tuple(backward), self.gradients)

    def pass_back(self, index: int) -> None:
        """One operation: gradients of all it read, then its own and what it kept go."""
        node, call = self.graph.nodes[index], self.tape.calls[index]
        for parameter in node.parameters:
            self.weigh(parameter)
        arrived: list[tuple[int, int]] = []
        piece = self.of.pop(index)
        if not isinstance(node.operation, Constant):
            for position, read in enumerate(node.inputs[: node.data]):
                if self.tape.values[read].grad:
                    arrived.append((read, self.flows(call, position, piece)))
        self.drop(piece)
        for storage in self.tape.kept[index]:
            self.keepers[storage] -= 1
            if not self.keepers[storage] and storage not in self.held:
                self.alive -= self.tape.sizes[storage]
        for read, new in arrived:
            self.gather(read, new)

    def flows(self, call: Call, position: int, piece: int) -> int:
        """The gradient of one input: the result's own where nothing changes, or a new one."""
        if passes(call, position):
            self.pieces[piece][1] += 1
            return piece
        return self.made(call.inputs[position].size)

    def gather(self, read: int, new: int) -> None:
        """Gradients from several readers are added: in place if nobody else holds the first."""
        old = self.of.get(read)
        if old is None:
            self.of[read] = new
            return
        if self.pieces[old][1] > 1:
            self.of[read] = self.made(self.tape.values[read].size)
            self.drop(old)
        self.drop(new)

    def weigh(self, parameter: int) -> None:
        """The gradient of a weight, which stays; a second one is added to the first."""
        weight = self.graph.parameters[parameter]
        if not weight.trainable or weight.buffer:
            return
        size = weight.size * BYTES[weight.dtype]
        if parameter in self.weights:
            self.most = max(self.most, self.alive + size)
            return
        self.weights.add(parameter)
        self.gradients += size
        self.grow(size)

    def made(self, size: int) -> int:
        """A new piece of memory with one owner."""
        self.pieces.append([size, 1])
        self.grow(size)
        return len(self.pieces) - 1

    def drop(self, piece: int) -> None:
        """One owner less; without any it goes."""
        self.pieces[piece][1] -= 1
        if not self.pieces[piece][1]:
            self.alive -= self.pieces[piece][0]

    def grow(self, size: int) -> None:
        """So much more is alive."""
        self.alive += size
        self.most = max(self.most, self.alive)


def passes(call: Call, position: int) -> bool:
    """Whether an input's gradient is the result's own, unchanged or seen in another way."""
    operation, value = call.operation, call.inputs[position]
    if isinstance(operation, VIEWS):
        return True
    if isinstance(operation, Dropout):
        return call.made.storage == value.storage and not operation.inplace
    if isinstance(operation, Reduce):
        return operation.function == "sum"
    if not isinstance(operation, Arithmetic) or value.shape != call.made.shape:
        return False
    name = operation.function
    return name in SAME and (position == 0 or name == "add")
