"""Axes whose length the network itself settles, whatever its input: maps behind a convolution."""

from collections.abc import Sequence

from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Node
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm
from convatlas.graph.operation import Shape
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Replace, Softmax
from convatlas.graph.pool import AdaptivePool, Pool
from convatlas.graph.product import Dense
from convatlas.graph.rearrange import Permute, Roll, View
from convatlas.graph.source import Constant

SAME = Activation | Arithmetic | Dropout | Replace | Roll | Softmax


def settled(nodes: Sequence[Node], shapes: Sequence[Shape], index: int, axis: int) -> bool:
    """Whether an axis of what a node makes has the same length for every input; if in doubt not."""
    while True:
        node, dims = nodes[index], len(shapes[index])
        operation = node.operation
        if _set_by(operation, axis, dims):
            return True
        if isinstance(operation, Permute):
            axis = operation.order[axis]
        elif not _handed_on(operation, axis, dims):
            return False
        if not node.inputs:
            return False
        first = shapes[node.inputs[0]]
        if len(first) != dims or (isinstance(operation, Arithmetic) and first[axis] == 1):
            return False  # stretched by what it is joined with
        index = node.inputs[0]


def _set_by(operation: object, axis: int, dims: int) -> bool:
    """Whether the operation itself says how long the axis is."""
    if isinstance(operation, Conv | ConvTransposed):
        return axis == dims - len(operation.kernel) - 1
    if isinstance(operation, Dense):
        return axis == dims - 1
    if isinstance(operation, BatchNorm | GroupNorm):
        return axis == 1
    if isinstance(operation, LayerNorm):
        return axis >= dims - len(operation.over)
    if isinstance(operation, View | Constant):
        size = operation.sizes[axis]
        return isinstance(size, int) and size != -1
    return False


def _handed_on(operation: object, axis: int, dims: int) -> bool:
    """Whether the axis is as long as it was in the first input."""
    if isinstance(operation, Conv | ConvTransposed | Pool):
        return axis < dims - len(operation.kernel)
    if isinstance(operation, AdaptivePool):
        return axis < dims - len(operation.size)
    return isinstance(operation, Dense | BatchNorm | GroupNorm | LayerNorm | SAME)
