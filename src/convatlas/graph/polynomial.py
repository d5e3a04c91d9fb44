"""Sizes as polynomials in N, h and w, exact: what a graph answers for every input size at once.

A polynomial takes the place of an integer in `convatlas.graph.propagate`: it adds, multiplies,
divides and compares. What does not come out the same for every size raises `NotSymbolic`.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from math import gcd
from typing import Any

from convatlas.errors import UserError

NAMES = ("N", "h", "w")
FINEST = 4096  # denominators of scale factors

Powers = tuple[int, int, int]  # of N, h, w
ONE: Powers = (0, 0, 0)


class NotSymbolic(UserError):
    """A size that no polynomial gives.

    ``names``: the variables it hangs on. ``factor``: if the variables were that many times finer,
    the division would come out; 1 if that does not help.
    """

    def __init__(self, message: str, names: frozenset[str], factor: int = 1) -> None:
        super().__init__(message)
        self.names, self.factor = names, factor


class Polynomial:
    """Integer coefficients by powers; ``least``: from where on N, h and w are looked at.

    Never a constant: `made` gives a plain integer then.
    """

    __slots__ = ("__dict__", "_hash", "least", "terms")

    def __init__(self, terms: Mapping[Powers, int], least: Powers) -> None:
        self.terms = dict(sorted(terms.items(), reverse=True))
        self.least = least
        self._hash = hash(tuple(self.terms.items()))

    @classmethod
    def variable(cls, name: str, least: Powers) -> "Polynomial":
        """N, h or w itself."""
        place = NAMES.index(name)
        powers = (int(place == 0), int(place == 1), int(place == 2))
        return cls({powers: 1}, least)

    @property
    def names(self) -> frozenset[str]:
        """The variables that occur."""
        return frozenset(
            name
            for powers in self.terms
            for name, power in zip(NAMES, powers, strict=True)
            if power
        )

    def at(self, batch: int, h: int, w: int) -> int:
        """The number for these."""
        return sum(c * batch**n * h**i * w**j for (n, i, j), c in self.terms.items())

    # ---- arithmetic

    def _made(self, terms: Mapping[Powers, int]) -> Any:
        kept = {powers: c for powers, c in terms.items() if c}
        if not kept:
            return 0
        return kept[ONE] if set(kept) == {ONE} else Polynomial(kept, self.least)

    def __add__(self, other: Any) -> Any:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        total = dict(self.terms)
        for powers, c in terms_of(other).items():
            total[powers] = total.get(powers, 0) + c
        return self._made(total)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, float):
            ratio = _ratio(other)
            return self * ratio.numerator // ratio.denominator
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        total: dict[Powers, int] = {}
        for (n, i, j), c in self.terms.items():
            for (m, k, l_), d in terms_of(other).items():
                powers = (n + m, i + k, j + l_)
                total[powers] = total.get(powers, 0) + c * d
        return self._made(total)

    def __neg__(self) -> Any:
        return self * -1

    def __sub__(self, other: Any) -> Any:
        return NotImplemented if not isinstance(other, int | Polynomial) else self + other * -1

    def __rsub__(self, other: Any) -> Any:
        return self * -1 + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        if isinstance(other, Polynomial):
            return self._by(other)
        if not isinstance(other, int):
            return NotImplemented
        quotient = {}
        for powers, c in self.terms.items():
            if powers != ONE and c % other:
                factor = other // gcd(c, other)
                names = Polynomial({powers: 1}, self.least).names - {"N"}
                message = f"({self}) / {other} does not come out for every size"
                raise NotSymbolic(message, names, factor if names else 1)
            quotient[powers] = c // other
        return self._made(quotient)

    def __rfloordiv__(self, other: Any) -> Any:
        if isinstance(other, int) and 0 <= other < self:
            return 0
        raise NotSymbolic(f"{other} / ({self}) differs from size to size", self.names)

    def _by(self, other: "Polynomial") -> Any:
        """Divided by another, leading terms first; the rest must be smaller at every size."""
        rest: Any = self
        quotient: Any = 0
        lead, by = next(iter(other.terms.items()))
        while isinstance(rest, Polynomial):
            powers, c = next(iter(rest.terms.items()))
            n, i, j = (a - b for a, b in zip(powers, lead, strict=True))
            if min(n, i, j) < 0 or c % by:
                break
            step = self._made({(n, i, j): c // by})
            quotient, rest = quotient + step, rest - other * step
        if 0 <= rest < other:
            return quotient
        raise NotSymbolic(
            f"({self}) / ({other}) does not come out for every size", self.names | other.names
        )

    def __mod__(self, other: Any) -> Any:
        return self - self // other * other

    def __rmod__(self, other: Any) -> Any:
        return other - other // self * self

    def __floor__(self) -> "Polynomial":
        return self

    # ---- comparison

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, int | Polynomial):
            return NotImplemented
        difference = self - other
        if isinstance(difference, int):
            return difference == 0
        if difference.lowest > 0 or (-difference).lowest > 0:
            return False
        raise _undecided(difference, f"{self} = {other}")

    def __hash__(self) -> int:
        return self._hash

    def __lt__(self, other: Any) -> bool:
        return not self._reaches(other)

    def __ge__(self, other: Any) -> bool:
        return self._reaches(other)

    def __gt__(self, other: Any) -> bool:
        return self._reaches(other + 1)

    def __le__(self, other: Any) -> bool:
        return not self._reaches(other + 1)

    def __bool__(self) -> bool:
        return self != 0

    def _reaches(self, other: Any) -> bool:
        """Whether this is at least the other, at every size."""
        difference = self - other
        if isinstance(difference, int):
            return difference >= 0
        if difference.lowest >= 0:
            return True
        if (-difference).lowest > 0:
            return False
        raise _undecided(difference, f"{self} ≥ {other}")

    @cached_property
    def lowest(self) -> int:
        """The least value at any size looked at, or -1 if it is not the smallest size's."""
        shifted: dict[Powers, int] = {}
        for (n, i, j), c in self.terms.items():
            parts = [_shifted(p, low) for p, low in zip((n, i, j), self.least, strict=True)]
            for a, x in enumerate(parts[0]):
                for b, y in enumerate(parts[1]):
                    for d, z in enumerate(parts[2]):
                        shifted[a, b, d] = shifted.get((a, b, d), 0) + c * x * y * z
        constant = shifted.pop(ONE, 0)
        return constant if all(c >= 0 for c in shifted.values()) else -1

    # ---- text

    def __str__(self) -> str:
        """All terms, N taken out in front if it is in each."""
        if all(powers[0] > 0 for powers in self.terms) and len(self.terms) > 1:
            inner = self._made({(n - 1, i, j): c for (n, i, j), c in self.terms.items()})
            return f"N·({inner})"
        ordered = sorted(self.terms.items(), key=lambda term: -sum(term[0]))
        text = " + ".join(_term(powers, c) for powers, c in ordered)
        return text.replace("+ -", "− ").replace("-", "−")

    __repr__ = __str__


def terms_of(number: "int | Polynomial") -> Mapping[Powers, int]:
    """Terms, of a plain integer too."""
    return number.terms if isinstance(number, Polynomial) else {ONE: number}


def value_at(number: "int | Polynomial", batch: int, h: int, w: int) -> int:
    """The number for these, of a plain integer too."""
    return number.at(batch, h, w) if isinstance(number, Polynomial) else number


def _undecided(difference: Polynomial, question: str) -> NotSymbolic:
    return NotSymbolic(f"{question} at some sizes only", difference.names)


def _shifted(power: int, least: int) -> Iterable[int]:
    """Coefficients of (least + y)**power by powers of y."""
    row = [1]
    for _ in range(power):
        row = [low * least + high for low, high in zip([*row, 0], [0, *row], strict=True)]
    return row


def _ratio(factor: float) -> Fraction:
    near = Fraction(factor).limit_denominator(FINEST)
    return near if float(near) == factor else Fraction(factor)


def _term(powers: Powers, coefficient: int) -> str:
    letters = [
        name + ("" if power == 1 else str(power).translate(RAISED))
        for name, power in zip(NAMES, powers, strict=True)
        if power
    ]
    number = f"{coefficient:,}"
    if letters and abs(coefficient) == 1:
        return ("-" if coefficient < 0 else "") + "·".join(letters)
    return "·".join([number, *letters])


RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
