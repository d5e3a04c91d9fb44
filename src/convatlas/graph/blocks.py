"""Sets of pixels as few rectangles with gaps, which are walked back at once.

A rectangle is some rows at some columns. The ways through a network mostly hold one another, and
what is held is dropped, so even a thousand layers come down to a few.
"""

from collections.abc import Iterable
from typing import NamedTuple

from convatlas.graph.pixels import Back, Line, Pixels

FEW = 32  # rectangles; more are sorted by rows, which joins those that overlap


class Blocks(NamedTuple):
    """The union of rectangles, each its rows and its columns; none of them empty."""

    parts: tuple[tuple[Line, Line], ...]

    @classmethod
    def of(cls, pixels: Pixels) -> "Blocks":
        """Rows with the same columns together."""
        rows: dict[Line, list[int]] = {}
        for row, columns in pixels.rows.items():
            rows.setdefault(columns, []).append(row)
        return cls(tuple((Line.of(each), columns) for columns, each in rows.items()))

    @property
    def pixels(self) -> Pixels:
        """The same set row by row."""
        found = Pixels({})
        for rows, columns in self.parts:
            found = found.joined(Pixels.block(rows, columns))
        return found

    def back(self, vertical: Back, horizontal: Back) -> "Blocks":
        """What these read, each axis walked back by itself."""
        return self._made((vertical(rows), horizontal(columns)) for rows, columns in self.parts)

    def within(self, height: int, width: int) -> "Blocks":
        """Only what lies on a picture of that size."""
        cut = ((rows.within(height), columns.within(width)) for rows, columns in self.parts)
        return self._made(cut)

    def joined(self, other: "Blocks") -> "Blocks":
        """What is in either."""
        return self._made((*self.parts, *other.parts))

    @classmethod
    def _made(cls, parts: Iterable[tuple[Line, Line]]) -> "Blocks":
        kept: list[tuple[Line, Line]] = []
        for part in parts:
            if part[0].bits and part[1].bits and not any(holds(old, part) for old in kept):
                kept = [old for old in kept if not holds(part, old)]
                kept.append(part)
        found = cls(tuple(kept))
        return found if len(kept) <= FEW else cls.of(found.pixels)


def holds(one: tuple[Line, Line], other: tuple[Line, Line]) -> bool:
    """Whether a rectangle has all pixels of another."""
    return one is other or (_covers(one[0], other[0]) and _covers(one[1], other[1]))


def _covers(line: Line, other: Line) -> bool:
    if line == other:
        return True
    shift = other.first - line.first
    if shift < 0:  # the lowest bits of the other may be empty
        low = other.bits & ((1 << -shift) - 1)
        return not low and not (other.bits >> -shift) & ~line.bits
    return not (other.bits << shift) & ~line.bits
