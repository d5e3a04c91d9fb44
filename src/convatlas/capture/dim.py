"""Sizes that remember where they come from, while a network's own code computes with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import index
from typing import Any, cast

from convatlas.graph.sizes import COMPARISONS, OPERATORS, Formula, Size, SizeOf


@dataclass(frozen=True, slots=True)
class Axis:
    """The length of an axis of what a node makes."""

    node: int
    axis: int


@dataclass(frozen=True, slots=True)
class Joined:
    """Two sizes joined by an operator of `convatlas.graph.sizes`."""

    operator: str
    left: "Origin"
    right: "Origin"


Origin = int | Axis | Joined
Compared = Callable[[Origin, str, Origin, bool], None]


class Dim(int):
    """An integer with its origin; it is told to the tracer what it is compared with.

    Where Python asks for the bare number (``int(size)``, ``size / 2``, ``hash(size)``) the graph is
    held to this size, for what follows is not seen. Where it reads the integer itself nothing is
    asked: ``range(size)``, ``0.5 * size``, ``math.log2(size)``; `convatlas.capture.confirm` finds
    these by a second look.
    """

    origin: Origin
    compared: Compared

    def __new__(cls, number: int, origin: Origin, compared: Compared) -> "Dim":
        """The number itself, as torch and Python see it."""
        dim = super().__new__(cls, number)
        dim.origin, dim.compared = origin, compared
        return dim

    def pinned(self) -> int:
        """The plain number, where an expression cannot follow: good for this size alone."""
        self.compared(self.origin, "==", index(self), True)
        return index(self)

    def _joined(self, operator: str, left: object, right: object) -> Any:
        if not isinstance(left, int) or not isinstance(right, int):
            self.pinned()  # a float, or a list made longer
            return NotImplemented
        number = OPERATORS[operator](index(left), index(right))
        return Dim(number, Joined(operator, origin(left), origin(right)), self.compared)

    def __add__(self, other: object) -> int:
        return cast(int, self._joined("+", self, other))

    def __radd__(self, other: object) -> int:
        return cast(int, self._joined("+", other, self))

    def __sub__(self, other: object) -> int:
        return cast(int, self._joined("-", self, other))

    def __rsub__(self, other: object) -> int:
        return cast(int, self._joined("-", other, self))

    def __mul__(self, other: object) -> int:
        return cast(int, self._joined("*", self, other))

    def __rmul__(self, other: object) -> int:
        return cast(int, self._joined("*", other, self))

    def __floordiv__(self, other: object) -> int:
        return cast(int, self._joined("//", self, other))

    def __rfloordiv__(self, other: object) -> int:
        return cast(int, self._joined("//", other, self))

    def __mod__(self, other: object) -> int:
        return cast(int, self._joined("%", self, other))

    def __rmod__(self, other: object) -> int:
        return cast(int, self._joined("%", other, self))

    def __divmod__(self, other: object) -> tuple[int, int]:
        return self // other, self % other

    def __rdivmod__(self, other: object) -> tuple[int, int]:
        return other // self, other % self

    def __neg__(self) -> int:
        return cast(int, self._joined("-", 0, self))

    def __pos__(self) -> int:
        return self

    def __eq__(self, other: object) -> bool:
        return self._told("==", other)

    def __ne__(self, other: object) -> bool:
        return self._told("!=", other)

    def __lt__(self, other: Any) -> bool:
        return self._told("<", other)

    def __le__(self, other: Any) -> bool:
        return self._told("<=", other)

    def __gt__(self, other: Any) -> bool:
        return self._told(">", other)

    def __ge__(self, other: Any) -> bool:
        return self._told(">=", other)

    def __bool__(self) -> bool:
        return self._told("!=", 0)

    def _told(self, relation: str, other: Any) -> bool:
        if not isinstance(other, int):
            return COMPARISONS[relation](self.pinned(), other)  # a broken number, or none at all
        theirs = origin(other)
        outcome = COMPARISONS[relation](index(self), index(other))
        if self.origin != theirs:
            self.compared(self.origin, relation, theirs, outcome)
        return outcome

    def __hash__(self) -> int:
        return hash(self.pinned())  # a key of a table: another size finds another entry

    def __int__(self) -> int:
        return self.pinned()

    def __float__(self) -> float:
        return float(self.pinned())


def _bare(name: str) -> Callable[..., Any]:
    """A method of int that works on the bare number, the graph being held to it."""
    plain = getattr(int, name)

    def method(self: Dim, *others: Any) -> Any:
        return plain(self.pinned(), *map(bare, others))

    return method


BARE = (
    *("truediv", "rtruediv", "pow", "rpow", "lshift", "rlshift", "rshift", "rrshift"),
    *("and", "rand", "or", "ror", "xor", "rxor", "invert", "abs", "round", "floor", "ceil"),
    "trunc",
)
METHODS = ("bit_length", "bit_count", "as_integer_ratio", "to_bytes", "conjugate")
for _name in (*(f"__{name}__" for name in BARE), *METHODS):
    setattr(Dim, _name, _bare(_name))


def bare(number: Any) -> Any:
    """A plain number for a size, which holds the graph to it; all else as it is."""
    return number.pinned() if isinstance(number, Dim) else number


def origin(number: int) -> Origin:
    """Where a size comes from; a plain integer is itself."""
    return number.origin if isinstance(number, Dim) else index(number)


class Sizes:
    """Sizes for an operation: origins become positions among the node's inputs.

    ``nodes`` are the inputs to put behind the ``data`` inputs, read for their shapes alone.
    """

    def __init__(self, numbers: Sequence[int], data: int) -> None:
        self.nodes: list[int] = []
        self._data = data
        self.values = tuple(self.rewritten(origin(number)) for number in numbers)

    def rewritten(self, source: Origin) -> Size:
        """One origin with its nodes as positions."""
        if isinstance(source, Axis):
            if source.node not in self.nodes:
                self.nodes.append(source.node)
            return SizeOf(self._data + self.nodes.index(source.node), source.axis)
        if isinstance(source, Joined):
            left, right = self.rewritten(source.left), self.rewritten(source.right)
            return Formula(source.operator, left, right)
        return source
