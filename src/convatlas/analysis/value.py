"""What a rule about memory is told of an operation: its values, where they lie, who needs them."""

from collections.abc import Callable
from dataclasses import dataclass

from convatlas.graph.graph import Parameter
from convatlas.graph.operation import Operation, Shape, elements
from convatlas.graph.strides import Strides


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor as it lies in memory; ``storage`` is ``None`` for a parameter or buffer."""

    storage: int | None
    shape: Shape
    strides: Strides
    itemsize: int
    grad: bool  # whether a gradient flows through it

    @property
    def size(self) -> int:
        """Bytes of a storage of its own."""
        return elements(self.shape) * self.itemsize


@dataclass(frozen=True, slots=True)
class Call:
    """One operation as it runs in training."""

    operation: Operation
    inputs: tuple[Value, ...]
    made: Value
    owned: tuple[Parameter, ...]


Kept = tuple[Value | int, ...]  # values, or bytes of something made for the purpose
Rule = Callable[[Call], Kept]
