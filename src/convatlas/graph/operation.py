"""What every operation of a graph can be asked."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol, runtime_checkable

from convatlas.errors import UserError

Shape = tuple[int, ...]


class Measure(NamedTuple):
    """What one operation makes and how much it does.

    ``macs`` are multiply-adds of convolutions, dense layers and matrix products, biases not
    counted; ``work`` is everything else, in elementary operations; the two are never added.
    """

    shape: Shape
    macs: int
    work: int


@runtime_checkable
class Operation(Protocol):
    """A frozen dataclass with the attributes of one operation.

    Only ``+ - * //`` and comparisons are used on sizes, so that they may be polynomials.
    """

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Output and work for inputs of these shapes; raises `ShapeError` if they do not fit."""


@runtime_checkable
class Declared(Protocol):
    """A module that says itself which operation it is, so that its pieces are not told apart."""

    def operation(self) -> Operation:
        """The operation that stands for all the module does."""


class ShapeError(UserError):
    """An operation that cannot take its input: what it was given, and what to change."""


def elements(shape: Iterable[int]) -> int:
    """How many numbers a tensor of a shape holds."""
    count = 1
    for size in shape:
        count *= size
    return count


def is_one(size: int) -> bool:
    """Whether an axis is stretched to another's length: a plain 1 is.

    A polynomial never counts as 1, though it may be: beside anything but itself and 1 the question
    is then asked, and cannot be decided.
    """
    return isinstance(size, int) and size == 1


def shown(shape: Iterable[int]) -> str:
    """A shape as printed: 64×56×56."""
    return "×".join(map(str, shape)) or "scalar"
