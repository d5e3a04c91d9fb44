"""Where the positions of a resized axis lie on the axis they are made from."""

from fractions import Fraction
from typing import NamedTuple

from convatlas.graph.rearrange import Resize

FINEST = 1 << 20  # factors are floats; what they mean is the nearest fraction up to here


class Grid(NamedTuple):
    """Output position ``o`` lies at ``start + o·step`` of the input."""

    start: Fraction
    step: Fraction


def grid(resize: Resize, axis: int, size: int, out: int) -> Grid:
    """The grid along one of the resized axes, from ``size`` to ``out`` positions.

    Nearest neighbours are the floor of it. As torch does, a factor that was given counts as it is
    and not as the two sizes come out.
    """
    if resize.align_corners:
        return Grid(Fraction(0), Fraction(size - 1, out - 1) if out > 1 else Fraction(0))
    if resize.factors is None:
        step = Fraction(size, out)
    else:
        step = 1 / Fraction(resize.factors[axis]).limit_denominator(FINEST)
    if resize.mode == "nearest":
        return Grid(Fraction(0), step)
    return Grid(step / 2 if resize.mode == "nearest-exact" else step / 2 - Fraction(1, 2), step)
