"""Where values come from, and what could not be read."""

from dataclasses import dataclass

from convatlas.graph.operation import Measure, Shape, elements
from convatlas.graph.sizes import Size, value


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """An input of the network; its shape is given, not computed."""

    name: str

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """The shape given for it."""
        return Measure(inputs[0], 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A tensor that does not depend on the input: a parameter used as it is, a buffer, a filler."""

    sizes: tuple[Size, ...]

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is done."""
        return Measure(tuple(value(size, inputs) for size in self.sizes), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """Entries of an axis picked by a tensor of indices: an embedding, a table that is read."""

    axis: int = 0

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is copied."""
        table, index = inputs[0], inputs[1]
        shape = (*table[: self.axis], *index, *table[self.axis + 1 :])
        return Measure(shape, 0, elements(shape))


@dataclass(frozen=True, slots=True)
class Beside:
    """A further result of the operation it reads, such as the places of a pool's maxima.

    ``shape``: its own, as it was found, if it is not that of the first result.
    """

    shape: Shape | None = None

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Its work is counted with the first result."""
        return Measure(inputs[0] if self.shape is None else self.shape, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """Values taken to other places by computed indices (index, gather, scatter, im2col …)."""

    function: str
    shape: Shape

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is copied; the shape is as it was found."""
        return Measure(self.shape, 0, max(map(elements, (self.shape, *inputs[:1]))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """An operation whose cost is not known: it is listed, never counted as nothing in silence."""

    function: str
    shape: Shape
    view: bool = False  # certainly no arithmetic: the same values seen in another way

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Only the shape, as it was found."""
        return Measure(self.shape, 0, 0)
