"""How the values of a graph lie in memory: whose storage each one uses, and in which order.

A view shares the storage of what it sees. Capture calls every reshape a view; where the values do
not lie in order, after a permutation say, torch makes a copy instead, and so does this walk.
"""

from collections.abc import Sequence
from typing import NamedTuple

from convatlas.graph.graph import Graph, Node
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Replace
from convatlas.graph.product import Attention
from convatlas.graph.propagate import Propagation
from convatlas.graph.rearrange import (
    Concat,
    Expand,
    Flatten,
    Permute,
    Select,
    Slice,
    Squeeze,
    Unsqueeze,
    View,
)
from convatlas.graph.source import Unknown
from convatlas.graph.strides import (
    Strides,
    channels_last,
    contiguous,
    dense,
    is_channels_last,
    is_contiguous,
    viewed,
)

POINTWISE = (Activation, Arithmetic, Dropout, Replace)
RESHAPES = (View, Flatten)
# What follows the order of its input only if that is channels last: those that know pictures.
PICTURES = ("Conv", "ConvTransposed", "Pool", "AdaptivePool", "BatchNorm", "Resize", "Pad")
# The same memory seen in another way; what comes after may find it out of order.
DISORDERED = (Permute, Expand, Slice, Select)


class Layout(NamedTuple):
    """Where a value lies: the node whose storage it uses, and its strides."""

    owner: int
    strides: Strides


def aliases(node: Node, training: bool | None = None) -> bool:
    """Whether a node hands on the storage of its first input, as far as the graph alone tells.

    ``training`` overrules the mode that the graph was captured in, which dropout goes by.
    """
    operation = node.operation
    if isinstance(operation, Dropout):
        active = operation.training if training is None else training
        return operation.inplace or not active or operation.p == 0
    return node.alias


def reordered(graph: Graph) -> bool:
    """Whether a reshape may have to copy, so that strides must be followed."""
    found = vars(graph).get("_reordered")
    if found is None:
        found = vars(graph)["_reordered"] = _reordered(graph)
    return bool(found)


def _reordered(graph: Graph) -> bool:
    """Whether what a reshape reads comes from a view that changes the order of the values."""
    astray: list[bool] = []
    for node in graph.nodes:
        reads = any(astray[index] for index in node.inputs[: node.data])
        kind = node.operation
        asks = isinstance(kind, RESHAPES) or getattr(kind, "function", "") == "contiguous"
        if asks and (reads or isinstance(kind, Arithmetic)):
            return True
        astray.append(reads or isinstance(kind, DISORDERED))
    return False


def layouts(graph: Graph, made: Propagation, training: bool | None = None) -> tuple[Layout, ...]:
    """The layout of every node, as torch's kernels on the CPU lay them."""
    shapes = made.shapes
    found: list[Layout] = []
    known: dict[tuple[object, ...], tuple[bool, Strides]] = {}
    for index, (node, step) in enumerate(zip(graph.nodes, graph.steps, strict=True)):
        if not node.inputs:
            found.append(Layout(index, contiguous(shapes[index])))
            continue
        given = [(shapes[i], found[i].strides) for i in node.inputs]
        key = (step.number, *given)
        if key not in known:
            known[key] = _made(node, given, shapes[index], training)
        shares, strides = known[key]
        found.append(Layout(found[node.inputs[0]].owner if shares else index, strides))
    return tuple(found)


def _made(
    node: Node, given: list[tuple[Shape, Strides]], shape: Shape, training: bool | None
) -> tuple[bool, Strides]:
    """Whether a node shares the storage of its first input, and its strides."""
    operation = node.operation
    if aliases(node, training):
        strides = seen(operation, *given[0], shape)
        if strides is not None:
            return True, strides
    elif getattr(operation, "function", "") == "contiguous" and is_contiguous(*given[0]):
        return True, given[0][1]
    return False, laid(operation, given[: node.data], shape)


def seen(operation: Operation, given: Shape, strides: Strides, shape: Shape) -> Strides | None:
    """Strides of a view of what is given; ``None`` where it has to be a copy."""
    if isinstance(operation, RESHAPES):
        return viewed(given, strides, shape)
    if isinstance(operation, Permute):
        return tuple(strides[axis] for axis in operation.order)
    if isinstance(operation, Expand):
        missing = len(shape) - len(given)
        stretched = zip(given, strides, shape[missing:], strict=True)
        return (0,) * missing + tuple(s if old == new else 0 for old, s, new in stretched)
    if isinstance(operation, Slice):
        axis = operation.axis % len(given)
        return (*strides[:axis], strides[axis] * operation.step, *strides[axis + 1 :])
    if isinstance(operation, Select):
        axis = operation.axis % len(given)
        return (*strides[:axis], *strides[axis + 1 :])
    if isinstance(operation, Unsqueeze):
        axis = operation.axis % len(shape)
        step = given[axis] * strides[axis] if axis < len(given) else 1
        return (*strides[:axis], step, *strides[axis:])
    if isinstance(operation, Squeeze):
        gone = {axis % len(given) for axis in operation.axes}
        return tuple(s for axis, s in enumerate(strides) if axis not in gone or given[axis] != 1)
    if isinstance(operation, Unknown) and operation.view:
        return contiguous(shape)
    return strides


def laid(operation: Operation, given: Sequence[tuple[Shape, Strides]], shape: Shape) -> Strides:
    """Strides of a storage of its own."""
    if all(is_contiguous(*each) for each in given):
        return contiguous(shape)
    if isinstance(operation, POINTWISE):
        if getattr(operation, "function", "") == "contiguous":
            return contiguous(shape)
        return dense(shape, given)
    if isinstance(operation, Attention):
        return contiguous(shape) if operation.first else dense(shape, given[:1])
    knows = type(operation).__name__ in PICTURES or isinstance(operation, Concat)
    if knows and all(is_channels_last(*each) for each in given if len(each[0]) == len(shape)):
        return channels_last(shape)
    return contiguous(shape)
