"""Measures made of measures."""

from dataclasses import dataclass

from convatlas.claims.expression import Number, evaluate
from convatlas.claims.measure import Bench, Measure, Value
from convatlas.errors import UserError


@dataclass(frozen=True, slots=True)
class Of:
    """What measures of several others share."""

    parts: tuple[Measure, ...]

    @property
    def networks(self) -> frozenset[str]:
        """Those of all parts."""
        return frozenset().union(*(part.networks for part in self.parts))


@dataclass(frozen=True, slots=True)
class Each(Of):
    """Several values, one after the other."""

    def value(self, bench: Bench) -> Value:
        """One for each part."""
        return tuple(part.value(bench) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Sum(Of):
    """All parts added up, those of lists too."""

    def value(self, bench: Bench) -> Value:
        """A number."""
        return sum(map(total, (part.value(bench) for part in self.parts)))


@dataclass(frozen=True, slots=True)
class Difference(Of):
    """The first less the second."""

    def value(self, bench: Bench) -> Value:
        """A number."""
        first, second = (total(part.value(bench)) for part in self.parts)
        return first - second


@dataclass(frozen=True, slots=True)
class Ratio(Of):
    """The first over the second."""

    def value(self, bench: Bench) -> Value:
        """A number."""
        first, second = (total(part.value(bench)) for part in self.parts)
        return first / second


@dataclass(frozen=True, slots=True)
class Expression(Of):
    """Arithmetic on numbers and on the parts, which are known in it by ``names``."""

    text: str
    names: tuple[str, ...]

    def value(self, bench: Bench) -> Value:
        """A number."""
        known = (total(part.value(bench)) for part in self.parts)
        return evaluate(self.text, dict(zip(self.names, known, strict=True)))


def total(value: Value) -> Number:
    """A number itself, the sum of a list of them; raises `UserError` for a word."""
    if isinstance(value, tuple):
        return sum(map(total, value))
    if isinstance(value, str):
        raise UserError(f"{value!r} is no number to reckon with")
    return value
