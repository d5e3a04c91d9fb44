"""Sizes that remember where they come from, while a network's own code computes with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, SupportsIndex, cast

from convatlas.graph.sizes import COMPARISONS, OPERATORS


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
    """An integer with its origin; a comparison is one too, 0 or 1, until a branch asks for it."""

    origin: Origin
    compared: Compared

    def __new__(cls, number: int, origin: Origin, compared: Compared) -> "Dim":
        """The number itself, as torch and Python see it."""
        dim = super().__new__(cls, number)
        dim.origin, dim.compared = origin, compared
        return dim

    def _joined(self, operator: str, left: object, right: object) -> Any:
        if not isinstance(left, int) or not isinstance(right, int):
            return NotImplemented
        number = OPERATORS[operator](int(left), int(right))
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

    def __neg__(self) -> int:
        return cast(int, self._joined("-", 0, self))

    def __truediv__(self, other: Any) -> float:
        return self._pinned() / other

    def __rtruediv__(self, other: Any) -> float:
        return cast(float, other / self._pinned())

    def __float__(self) -> float:
        return float(self._pinned())

    def __pow__(self, other: Any, modulo: SupportsIndex | None = None) -> Any:
        return pow(self._pinned(), other, modulo)

    def __eq__(self, other: object) -> bool:
        return (
            cast(bool, self._joined("==", self, other))
            if isinstance(other, int)
            else int(self) == other
        )

    def __ne__(self, other: object) -> bool:
        return (
            cast(bool, self._joined("!=", self, other))
            if isinstance(other, int)
            else int(self) != other
        )

    def __lt__(self, other: Any) -> bool:
        return cast(bool, self._joined("<", self, other))

    def __le__(self, other: Any) -> bool:
        return cast(bool, self._joined("<=", self, other))

    def __gt__(self, other: Any) -> bool:
        return cast(bool, self._joined(">", self, other))

    def __ge__(self, other: Any) -> bool:
        return cast(bool, self._joined(">=", self, other))

    def __bool__(self) -> bool:
        """Where the code branches: other input sizes have to come out the same way."""
        told, outcome = self.origin, int(self) != 0
        if isinstance(told, Joined) and told.operator in COMPARISONS:
            self.compared(told.left, told.operator, told.right, outcome)
        else:
            self.compared(told, "!=", 0, outcome)
        return outcome

    def __hash__(self) -> int:
        return hash(int(self))

    def _pinned(self) -> int:
        """The plain number, where an expression cannot follow: good for this size alone."""
        self.compared(self.origin, "==", int(self), True)
        return int(self)


def origin(number: int) -> Origin:
    """Where a size comes from; a plain integer is itself."""
    return number.origin if isinstance(number, Dim) else int(number)
