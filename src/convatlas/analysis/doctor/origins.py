"""Where the length of an axis comes from: the layer that sets it."""

from typing import NamedTuple

from convatlas.analysis.describe import describe
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.graph import Graph
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm, ResponseNorm
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Replace, Softmax
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.product import Dense
from convatlas.graph.propagate import Propagation
from convatlas.graph.rearrange import Pad, Permute, Reduce, Resize, Roll, Unsqueeze
from convatlas.graph.source import Input

SAME = (
    *(Activation, Arithmetic, Dropout, Replace, Softmax, Roll),
    *(BatchNorm, GroupNorm, LayerNorm, ResponseNorm),
)


class Origin(NamedTuple):
    """The node that sets an axis, and the nodes between it and the one that was asked about."""

    node: int
    way: tuple[int, ...]


def origin(graph: Graph, made: Propagation, index: int, axis: int) -> Origin:
    """The layer that sets how long an axis (counted from the front) of what a node makes is."""
    way: list[int] = []
    while True:
        node = graph.nodes[index]
        operation = node.operation
        dims = len(made.measures[index].shape)
        if isinstance(operation, Permute):
            axis = operation.order[axis]
        elif isinstance(operation, Unsqueeze):
            at = operation.axis % dims
            if axis == at:
                return Origin(index, tuple(way))
            axis -= axis > at
        elif isinstance(operation, Reduce):
            axes = range(len(made.measures[node.inputs[0]].shape))
            gone = {each % len(axes) for each in operation.axes}
            if operation.keep and axis in gone:
                return Origin(index, tuple(way))
            axis = axis if operation.keep else [each for each in axes if each not in gone][axis]
        elif not _handed_on(operation, axis, dims):
            return Origin(index, tuple(way))
        way.append(index)
        length = made.measures[index].shape[axis] if isinstance(operation, Arithmetic) else None
        back = axis - dims  # operands are set against one another from the last axis on
        index = node.inputs[0]
        if length is not None:
            index = next(i for i in node.inputs if made.measures[i].shape[back:][:1] == (length,))
            axis = back + len(made.measures[index].shape)


def _handed_on(operation: object, axis: int, dims: int) -> bool:
    """Whether an axis is as long as in the first input."""
    if isinstance(operation, Input):
        return False
    if isinstance(operation, Conv | ConvTransposed):
        # a depthwise convolution sets its maps too, but only what comes in decides their number
        return axis < dims - len(operation.kernel) - 1
    if isinstance(operation, Pool | SubSampling):
        return axis < dims - len(operation.kernel)
    if isinstance(operation, AdaptivePool):
        return axis < dims - len(operation.size)
    if isinstance(operation, Pad):
        return axis < dims - len(operation.widths)
    if isinstance(operation, Resize):
        return axis < 2
    if isinstance(operation, Dense):
        return axis < dims - 1
    return isinstance(operation, SAME)


def place_of(graph: Graph, index: int) -> str:
    """A layer by its path, or by what it is where it has none."""
    node = graph.nodes[index]
    if isinstance(node.operation, Input):
        return "the input"
    return node.path or describe(node.operation)
