"""The forward pass of training: every storage, and what each operation keeps for the way back."""

from dataclasses import dataclass

from convatlas.analysis.saved import kept
from convatlas.analysis.value import Call, Kept, Value
from convatlas.graph.graph import BYTES, Graph, Node
from convatlas.graph.layout import Layout, layouts
from convatlas.graph.liveness import itemsize
from convatlas.graph.norm import BatchNorm
from convatlas.graph.operation import Shape, elements
from convatlas.graph.pointwise import Dropout
from convatlas.graph.propagate import Propagation
from convatlas.graph.source import Beside, Constant

FLOATS = {"float64", "float32", "float16", "bfloat16", "complex64", "complex128"}


@dataclass(frozen=True, slots=True)
class Tape:
    """Storages are numbered: those of the nodes by their positions, then those made to be kept."""

    values: tuple[Value, ...]
    calls: tuple[Call, ...]
    sizes: tuple[int, ...]  # of each storage
    kept: tuple[tuple[int, ...], ...]  # for each node: the storages it keeps


def taped(graph: Graph, made: Propagation, *, training: bool = True) -> Tape:
    """Walk the graph forward, batch norm and dropout as in ``training`` or not."""
    mode = None if training and graph.training else training  # None: as each node says itself
    placed = layouts(graph, made, mode)
    shapes = made.shapes
    values: list[Value] = []
    calls: list[Call] = []
    sizes = [0] * len(graph.nodes)
    keeps: list[tuple[int, ...]] = []
    for index, node in enumerate(graph.nodes):
        value = _value(graph, node, values, placed[index], shapes[index], _beside(node, keeps))
        if value.storage == index:
            sizes[index] = elements(value.shape) * itemsize(graph, node)
        values.append(value)
        given = tuple(values[i] for i in node.inputs[: node.data])
        call = Call(
            node.operation, given, value, tuple(graph.parameters[i] for i in node.parameters)
        )
        calls.append(call)
        keeps.append(_storages(kept(call, active(node, mode)), sizes))
    return Tape(tuple(values), tuple(calls), tuple(sizes), tuple(keeps))


def _beside(node: Node, keeps: list[tuple[int, ...]]) -> int | None:
    """The places of a pool's maxima are kept by the pool already."""
    if not isinstance(node.operation, Beside):
        return None
    made = [storage for storage in keeps[node.inputs[0]] if storage >= len(keeps)]
    return made[-1] if made else None


def _value(
    graph: Graph, node: Node, values: list[Value], place: Layout, shape: Shape, beside: int | None
) -> Value:
    """What a node makes; parameters and buffers have no storage here."""
    index = len(values)
    given = [values[i] for i in node.inputs[: node.data]]
    storage: int | None = index
    if isinstance(node.operation, Constant) and node.parameters:
        storage = None
    elif place.owner != index:
        storage = values[place.owner].storage
    elif beside is not None:
        storage = beside
    trained = any(graph.parameters[i].trainable for i in node.parameters)
    flows = node.dtype in FLOATS and not isinstance(node.operation, Beside)
    grad = flows and (trained or any(value.grad for value in given))
    return Value(storage, shape, place.strides, BYTES[node.dtype], grad)


def active(node: Node, mode: bool | None) -> bool:
    """Whether batch norm or dropout works as in training."""
    operation = node.operation
    if not isinstance(operation, BatchNorm | Dropout):
        return False
    return operation.training if mode is None else mode


def _storages(keeps: Kept, sizes: list[int]) -> tuple[int, ...]:
    """What is kept as numbers of storages; what was made for the purpose gets a new one."""
    found: list[int] = []
    for each in keeps:
        if isinstance(each, Value):
            if each.storage is not None:
                found.append(each.storage)
        elif each:
            found.append(len(sizes))
            sizes.append(each)
    return tuple(dict.fromkeys(found))
