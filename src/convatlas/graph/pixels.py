"""Sets of pixels, row by row as bits of integers, and how one axis of them is walked back."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from convatlas.graph.window import Window

# From positions of an output along one axis to those of the input that they read.
Back = Callable[["Line"], "Line"]


class Line(NamedTuple):
    """Positions along one axis: bit b stands for position b + ``first``."""

    bits: int
    first: int = 0

    def __iter__(self) -> Iterator[int]:
        """The positions, in order."""
        bits, position = self.bits, self.first
        while bits:
            zeros = (bits & -bits).bit_length() - 1
            position += zeros
            yield position
            bits >>= zeros + 1
            position += 1

    @classmethod
    def of(cls, positions: Iterable[int]) -> "Line":
        """A line from its positions."""
        each = list(positions)
        first = min(each, default=0)
        bits = 0
        for position in each:
            bits |= 1 << (position - first)
        return cls(bits, first)

    @classmethod
    def span(cls, length: int) -> "Line":
        """The positions from 0 on."""
        return cls((1 << length) - 1)

    def within(self, length: int) -> "Line":
        """Only what lies on an axis of that length."""
        bits = self.bits >> -self.first if self.first < 0 else self.bits << self.first
        return Line(bits & ((1 << length) - 1))

    def joined(self, other: "Line") -> "Line":
        """What is in either."""
        if not self.bits or not other.bits:
            return self if self.bits else other
        first = min(self.first, other.first)
        bits = self.bits << (self.first - first) | other.bits << (other.first - first)
        return Line(bits, first)


class Pixels(NamedTuple):
    """A set of pixels: the columns of each row that has any."""

    rows: dict[int, Line]

    @classmethod
    def block(cls, rows: Line, columns: Line) -> "Pixels":
        """All of these rows at all of these columns."""
        return cls(dict.fromkeys(rows, columns) if columns.bits else {})

    @property
    def number(self) -> int:
        """How many pixels."""
        return sum(line.bits.bit_count() for line in self.rows.values())

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Top, left, height and width of what encloses them; all 0 for none."""
        if not self.rows:
            return 0, 0, 0, 0
        top, left = min(self.rows), min(next(iter(line)) for line in self.rows.values())
        right = max(line.first + line.bits.bit_length() for line in self.rows.values())
        return top, left, max(self.rows) - top + 1, right - left

    def joined(self, other: "Pixels") -> "Pixels":
        """What is in either."""
        rows = dict(self.rows)
        for row, line in other.rows.items():
            rows[row] = rows[row].joined(line) if row in rows else line
        return Pixels(rows)

    def within(self, height: int, width: int) -> "Pixels":
        """Only what lies on a picture of that size."""
        cut = ((row, line.within(width)) for row, line in self.rows.items() if 0 <= row < height)
        return Pixels({row: line for row, line in cut if line.bits})

    def back(self, vertical: Back, horizontal: Back) -> "Pixels":
        """What these read, each axis walked back by itself."""
        lines: dict[Line, Line] = {}
        rows: dict[int, Line] = {}
        for row, line in self.rows.items():
            if line not in lines:
                lines[line] = horizontal(line)
            read = lines[line]
            if not read.bits:
                continue
            for into in vertical(Line(1, row)):
                rows[into] = rows[into].joined(read) if into in rows else read
        return Pixels(rows)


def same(line: Line) -> Line:
    """Each position reads its own."""
    return line


def everything(length: int) -> Back:
    """Any position reads all."""
    return lambda line: Line.span(length) if line.bits else line


def moved(by: int, step: int = 1) -> Back:
    """Position o reads o·step + by."""
    if step == 1:
        return lambda line: Line(line.bits, line.first + by)
    return lambda line: Line.of(position * step + by for position in line)


def bordered(before: int, length: int, mode: str) -> Back:
    """A border of that width in front: outside the axis, what stands in for it by the mode."""
    if mode == "constant":
        return moved(-before)

    def inside(position: int) -> int:
        at = position - before
        if mode == "circular":
            return at % length
        if mode == "reflect":
            return abs(at) if at < length else 2 * (length - 1) - at
        return min(max(at, 0), length - 1)

    return lambda line: Line.of(map(inside, line))


def through(window: Window) -> Back:
    """Position o reads o·stride - before + t·dilation."""

    def back(line: Line) -> Line:
        first = line.first * window.stride - window.before
        bits = line.bits if window.stride == 1 else stretched(line.bits, window.stride)
        read = 0
        for tap in range(window.kernel):
            read |= bits << (tap * window.dilation)
        return Line(read, first)

    return back


def stretched(bits: int, step: int) -> int:
    """Bit b moved to b·step."""
    zeros = "0" * (step - 1)
    return int(zeros.join(bin(bits)[2:]), 2)


def spread_from(kernel: int, stride: int, padding: int, dilation: int) -> Back:
    """A transposed convolution: o reads every i with i·stride - padding + t·dilation = o."""

    def back(line: Line) -> Line:
        read = set()
        for position in line:
            for tap in range(kernel):
                into, rest = divmod(position + padding - tap * dilation, stride)
                if not rest:
                    read.add(into)
        return Line.of(read)

    return back


def divided(length: int, out: int) -> Back:
    """Adaptive pooling: o reads from ⌊o·n/m⌋ to ⌈(o+1)·n/m⌉."""
    return lambda line: Line.of(
        into
        for position in line
        for into in range(position * length // out, -(-(position + 1) * length // out))
    )


def interpolated(start: Fraction, step: Fraction, mode: str, length: int | None = None) -> Back:
    """Position o lies at ``start + o·step``: its neighbours that have weight.

    On an axis of a ``length`` the last pixel stands in for what lies beyond the border.
    """
    sides = 2 if mode == "bicubic" else 1

    def back(line: Line) -> Line:
        read: set[int] = set()
        for position in line:
            at = start + position * step
            if mode.startswith("nearest"):
                read.add(floor(at))
                continue
            if length is not None and sides == 1:
                at = max(at, Fraction(0))
            read |= {int(at)} if at.denominator == 1 else _near(at, sides)
        return Line.of(read if length is None else {min(max(i, 0), length - 1) for i in read})

    return back


def _near(at: Fraction, sides: int) -> set[int]:
    return set(range(ceil(at - sides), floor(at + sides) + 1))


def shuffled(factor: int, inverse: bool) -> Back:
    """Pixel shuffle: o reads ⌊o / r⌋; the other way the r positions from o·r on."""
    if inverse:
        return through(Window(factor, factor, 0, 0, 1))
    return lambda line: Line.of({position // factor for position in line})
