"""Memory of training a network, told from its graph: weights, gradients, what autograd keeps, peak.

Counted is what torch 2.13 allocates in float32 on the CPU. Not counted: the scratch of the kernels
(mostly a second copy of the largest weight gradient), the loss, and tensors that the network's own
code holds longer than it reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from convatlas.analysis.backward import step
from convatlas.analysis.tape import taped
from convatlas.errors import UserError
from convatlas.graph.graph import BYTES, Graph, Parameter
from convatlas.graph.operation import Shape
from convatlas.graph.propagate import propagate
from convatlas.nearest import closest

STEP = 4  # bytes of a counter or another single number that torch keeps for each weight
# Tensors of the weight's size that an optimiser keeps for each weight, and single numbers.
OPTIMISERS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "sgd": (0, 0),
        "momentum": (1, 0),
        "nesterov": (1, 0),
        "adagrad": (1, 1),
        "rmsprop": (1, 1),
        "rprop": (2, 1),
        "adadelta": (2, 1),
        "adam": (2, 1),
        "adamw": (2, 1),
        "adamax": (2, 1),
        "radam": (2, 1),
        "nadam": (2, 2),
        "amsgrad": (3, 1),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMemory:
    """Bytes at one node; ``forward`` and ``backward`` are all that is alive while it runs.

    ``kept`` is what it is the first to keep for the backward pass, ``made`` what it makes anew.
    ``backward`` is 0 for a node that no gradient reaches.
    """

    path: str
    kind: str
    shape: Shape
    made: int
    kept: int
    forward: int
    backward: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingMemory:
    """Bytes of one step of training; ``peak`` is everything at its worst moment, weights included.

    ``saved``: what autograd keeps between forward and backward, each storage once, weights and
    buffers not counted. ``unknown``: operations of which nothing could be counted.
    """

    name: str
    inputs: tuple[Shape, ...]
    optimiser: str
    parameters: int
    buffers: int
    gradients: int
    state: int
    saved: int
    peak: int
    at: int  # the node that sets the peak
    phase: Literal["forward", "backward"]
    nodes: tuple[NodeMemory, ...]
    unknown: tuple[str, ...] = ()

    @property
    def fixed(self) -> int:
        """What is there before the step and after it: weights, buffers, optimiser."""
        return self.parameters + self.buffers + self.state

    @property
    def path(self) -> str:
        """The layer that sets the peak."""
        return self.nodes[self.at].path

    def rows(self) -> tuple[NodeMemory, ...]:
        """The nodes that make or keep something, in order: what a table shows."""
        return tuple(node for node in self.nodes if node.made or node.kept)


def training_memory(
    graph: Graph,
    inputs: tuple[Shape, ...] | None = None,
    *,
    optimiser: str = "momentum",
    training: bool = True,
) -> TrainingMemory:
    """The memory of a step of training for input shapes with their batch.

    ``training``: batch norm and dropout work as in training, of a graph captured in training mode
    as each of them says itself; otherwise as in evaluation (fine-tuning on fixed statistics).
    Raises `UserError` for an unknown optimiser, `DoesNotFit` for a size the network cannot take.
    """
    state = optimiser_state(graph, optimiser)
    made = propagate(graph, inputs)
    tape = taped(graph, made, training=training)
    timeline = step(graph, tape)
    parameters = sum(map(size, (p for p in graph.parameters if not p.buffer)))
    buffers = sum(map(size, (p for p in graph.parameters if p.buffer)))
    fixed = parameters + buffers + state
    seen: set[int] = set()
    nodes: list[NodeMemory] = []
    for index, node in enumerate(graph.nodes):
        new = set(tape.kept[index]) - seen
        seen |= new
        back = timeline.backward[index]
        nodes.append(
            NodeMemory(
                path=node.path,
                kind=type(node.operation).__name__,
                shape=made.measures[index].shape,
                made=tape.sizes[index],
                kept=sum(tape.sizes[storage] for storage in new),
                forward=fixed + timeline.forward[index],
                backward=fixed + back if back else 0,
            )
        )
    worst = max(nodes, key=lambda node: max(node.forward, node.backward), default=None)
    if worst is None:
        raise UserError(f"{graph.name} runs no operation; capture a module that does something")
    return TrainingMemory(
        name=graph.name,
        inputs=made.inputs,
        optimiser=optimiser,
        parameters=parameters,
        buffers=buffers,
        gradients=timeline.gradients,
        state=state,
        saved=sum(tape.sizes[storage] for storage in seen),
        peak=max(worst.forward, worst.backward),
        at=nodes.index(worst),
        phase="backward" if worst.backward > worst.forward else "forward",
        nodes=tuple(nodes),
        unknown=tuple(f"{node.path} ({_function(node.operation)})" for node in graph.unknown),
    )


def optimiser_state(graph: Graph, optimiser: str) -> int:
    """Bytes that an optimiser keeps for the trained weights that are used."""
    if optimiser not in OPTIMISERS:
        hint = closest(optimiser, tuple(OPTIMISERS))
        known = ", ".join(OPTIMISERS)
        raise UserError(f"unknown optimiser {optimiser!r}, expected one of {known}{hint}")
    tensors, numbers = OPTIMISERS[optimiser]
    used = {index for node in graph.nodes for index in node.parameters}
    trained = (p for p in map(graph.parameters.__getitem__, used) if p.trainable and not p.buffer)
    return sum(tensors * size(p) + numbers * STEP for p in trained)


def size(parameter: Parameter) -> int:
    """Bytes of a parameter or buffer."""
    return parameter.size * BYTES[parameter.dtype]


def _function(operation: object) -> str:
    return str(getattr(operation, "function", type(operation).__name__))
