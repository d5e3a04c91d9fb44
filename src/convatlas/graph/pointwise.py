"""Operations value by value: activations, arithmetic, dropout."""

from dataclasses import dataclass

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, is_one, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """A non-linearity; ``settings`` are its own numbers (slope, bounds, axis) in torch's order."""

    function: str
    settings: tuple[float | str, ...] = ()
    inplace: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: one operation for each value."""
        return Measure(inputs[0], 0, elements(inputs[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Softmax:
    """exp(x) over its sum along an axis (counted from the end, so -1 is the last)."""

    axis: int = -1
    log: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: maximum, difference with exponential, sum, quotient."""
        return Measure(inputs[0], 0, 4 * elements(inputs[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropout:
    """Values (or whole maps) set to zero at random in training; nothing in evaluation."""

    p: float
    training: bool = False
    maps: bool = False
    inplace: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """No work in evaluation mode."""
        return Measure(inputs[0], 0, 2 * elements(inputs[0]) if self.training else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """Tensors joined value by value, with torch's broadcasting; ``constant``: a plain number."""

    function: str
    constant: float | None = None
    inplace: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: one operation for each value made."""
        shape = inputs[0]
        for other in inputs[1:]:
            shape = broadcast(shape, other)
        return Measure(shape, 0, elements(shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """A tensor with some of its values replaced by those of a second one, or by a number."""

    inplace: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: what is put in, or at the most everything."""
        work = elements(inputs[1]) if len(inputs) > 1 else elements(inputs[0])
        return Measure(inputs[0], 0, work)


def broadcast(a: Shape, b: Shape) -> Shape:
    """The common shape of two, missing axes and axes of 1 stretched."""
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    filled = (1,) * (len(longer) - len(shorter)) + shorter
    made = []
    for one, other in zip(longer, filled, strict=True):
        if is_one(other):
            made.append(one)
        elif is_one(one) or one == other:
            made.append(other)
        else:
            raise ShapeError(f"{shown(a)} and {shown(b)} do not go together")
    return tuple(made)
