"""Views and permutations as one thing: in which order a tensor's values stand.

A chain of view, permute, unsqueeze, squeeze, select and slice is told by the steps with which its
axes go through the values of the tensor it began with; how the axes are grouped does not count.
"""

from dataclasses import dataclass
from math import prod

from convatlas.graph.operation import Operation, Shape
from convatlas.graph.rearrange import Flatten, Permute, Select, Slice, Squeeze, Unsqueeze, View
from convatlas.graph.sizes import value

Factor = tuple[int, int]  # how many values, how far apart
VIEWS = (View, Flatten, Squeeze, Unsqueeze)


@dataclass(frozen=True, slots=True)
class Layout:
    """The axes of a view, each a product of factors, from the slowest to the fastest."""

    axes: tuple[tuple[Factor, ...], ...]
    total: int  # values of the tensor it began with
    offset: int = 0

    @classmethod
    def of(cls, shape: Shape) -> "Layout":
        """A tensor as it is."""
        steps = [prod(shape[n + 1 :]) for n in range(len(shape))]
        axes = tuple(((size, step),) for size, step in zip(shape, steps, strict=True))
        return cls(axes, prod(shape))

    @property
    def factors(self) -> tuple[Factor, ...]:
        """All factors in order, those that go on from each other joined."""
        joined: list[Factor] = []
        for size, step in (factor for axis in self.axes for factor in axis):
            if size == 1:
                continue
            if joined and joined[-1][1] == size * step:
                joined[-1] = (joined[-1][0] * size, step)
            else:
                joined.append((size, step))
        return tuple(joined)

    @property
    def untouched(self) -> bool:
        """Whether the values stand in the order of the tensor it began with."""
        return self.offset == 0 and self.factors in ((), ((self.total, 1),))

    @property
    def order(self) -> tuple[int, ...]:
        """The factors' ranks by step: 0 is the slowest of the tensor it began with."""
        steps = [step for _, step in self.factors]
        ranks = sorted(range(len(steps)), key=lambda n: -steps[n])
        return tuple(ranks.index(n) for n in range(len(steps)))


def moved(layout: Layout, operation: Operation, given: tuple[Shape, ...], made: Shape) -> Layout:
    """A layout after one more operation; raises `ValueError` if it cannot be told so."""
    axes = layout.axes
    if isinstance(operation, Permute):
        return Layout(tuple(axes[n] for n in operation.order), layout.total, layout.offset)
    if isinstance(operation, VIEWS):
        return Layout(_split(layout.factors, made), layout.total, layout.offset)
    if isinstance(operation, Select | Slice):
        place = operation.axis % len(axes)
        return _cut(layout, place, operation, given, made)
    raise ValueError(operation)


def _split(factors: tuple[Factor, ...], shape: Shape) -> tuple[tuple[Factor, ...], ...]:
    """The factors shared out to the axes of a shape."""
    left = list(factors)
    axes = []
    for length in shape:
        axis = []
        while length > 1:
            if not left:
                raise ValueError(shape)
            size, step = left.pop(0)
            if length % size == 0:
                axis.append((size, step))
                length //= size
            elif size % length == 0:
                rest = size // length
                axis.append((length, step * rest))
                left.insert(0, (rest, step))
                length = 1
            else:
                raise ValueError(shape)
        axes.append(tuple(axis))
    return tuple(axes)


def _cut(
    layout: Layout, place: int, operation: Select | Slice, given: tuple[Shape, ...], made: Shape
) -> Layout:
    """One position or a part of an axis that is a single factor."""
    axis = layout.axes[place]
    if len(axis) != 1 or (isinstance(operation, Slice) and operation.step != 1):
        raise ValueError(operation)
    ((size, step),) = axis
    first = operation.index if isinstance(operation, Select) else operation.start
    start = value(first, given)
    start = start + size if start < 0 else start
    kept = () if isinstance(operation, Select) else (((made[place], step),),)
    axes = (*layout.axes[:place], *kept, *layout.axes[place + 1 :])
    return Layout(axes, layout.total, layout.offset + start * step)
