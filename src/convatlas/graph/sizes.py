"""Sizes that depend on sizes: what a network's own code computes from ``x.shape``.

``height // 7`` in a network's forward is kept as an expression over the shapes of a node's
inputs, so that the graph answers for other input sizes as the code would.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass

from convatlas.graph.operation import Shape

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
OPERATORS: dict[str, Callable[[int, int], int]] = {
    **COMPARISONS,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}


@dataclass(frozen=True, slots=True)
class SizeOf:
    """The length of one axis of a node's input."""

    input: int  # position among the node's inputs
    axis: int


@dataclass(frozen=True, slots=True)
class Formula:
    """Two sizes joined by one of `OPERATORS`; a comparison counts as 0 or 1."""

    operator: str
    left: "Size"
    right: "Size"


Size = int | SizeOf | Formula


def value(size: Size, inputs: tuple[Shape, ...]) -> int:
    """The number that a size stands for, given the shapes of the node's inputs."""
    if type(size) is int:
        return size
    if isinstance(size, SizeOf):
        return inputs[size.input][size.axis]
    if isinstance(size, Formula):
        return OPERATORS[size.operator](value(size.left, inputs), value(size.right, inputs)) + 0
    return size
