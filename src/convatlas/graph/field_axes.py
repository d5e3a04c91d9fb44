"""What is known of a receptive field, and how two of them join."""

from collections.abc import Iterable
from fractions import Fraction
from math import floor, gcd, lcm
from typing import TYPE_CHECKING, NamedTuple

from convatlas.graph.operation import Shape
from convatlas.graph.pixels import Back, Line, through
from convatlas.graph.window import Window

if TYPE_CHECKING:
    from convatlas.graph.field_split import Split

Number = int | Fraction
Reach = tuple[Number, Number]  # the first pixel read and the last
MOST = 4096  # phases followed; beyond, the size is an upper bound


class Axis(NamedTuple):
    """What is read along one axis of the picture.

    ``least``: the size along the narrowest way through the branches. ``whole``: some way reads
    from all positions at once (a global pool, a dense layer, attention); the rest then tells of
    the other ways. ``phases``: where the axis was upsampled, what the first positions read
    exactly (``None``: nothing); after as many positions it repeats, moved on.
    """

    low: Number
    high: Number
    jump: Number
    least: Number
    whole: bool = False
    phases: tuple[Reach | None, ...] = ()

    @property
    def size(self) -> int:
        """Pixels from the first that is read to the last, at the position that reads most."""
        if self.phases:
            return max(int(high - low) + 1 for low, high in filter(None, self.phases))
        return floor(self.high - self.low) + 1

    @property
    def start(self) -> Fraction:
        """The middle of what the first position reads, in pixels (0 is the first pixel).

        Where the axis was upsampled positions differ: then ``start + i·jump`` is right on average.
        """
        if not self.phases:
            return Fraction(self.low + self.high) / 2
        centres = [
            Fraction(reach[0] + reach[1]) / 2 - phase * self.jump
            for phase, reach in enumerate(self.phases)
            if reach is not None
        ]
        return sum(centres, Fraction(0)) / len(centres)

    @property
    def exact(self) -> bool:
        """Whether what each position reads is known; otherwise within what bounds."""
        return bool(self.phases) or not isinstance(self.low + self.high + self.jump, Fraction)

    def at(self, position: int) -> Reach | None:
        """The first pixel a position reads and the last."""
        if not self.phases:
            return self.low + position * self.jump, self.high + position * self.jump
        rounds, phase = divmod(position, len(self.phases))
        reach = self.phases[phase]
        if reach is None or not rounds:
            return reach
        on = whole_if(rounds * len(self.phases) * self.jump)
        return reach[0] + on, reach[1] + on


class Field(NamedTuple):
    """The axes of the picture, and which axis of the tensor walks along each (-1: none).

    ``split``: where positions are instead while axes are cut into digits.
    """

    axes: tuple[Axis, ...]
    dims: tuple[int, ...]
    local: bool = True  # no axis is read as a whole
    split: "Split | None" = None

    @classmethod
    def of_pixels(cls, dims: tuple[int, ...]) -> "Field":
        """Each position reads itself."""
        return cls((Axis(0, 0, 1, 1),) * len(dims), dims)

    @property
    def size(self) -> tuple[int, ...]:
        """The size along each axis."""
        return tuple(axis.size for axis in self.axes)


class Move(NamedTuple):
    """A window on one axis: position ``o`` reads from ``o·stride - before`` on, ``reach`` far.

    Strides below one spread an axis out. ``back`` names what is read exactly.
    """

    before: Number
    reach: Number
    stride: Number
    back: Back

    @classmethod
    def of(cls, window: Window) -> "Move":
        """That of a convolution or pool."""
        return cls(window.before, window.reach, window.stride, through(window))


def slid_along(field: Field, window: Window) -> Field:
    """The same window on every axis; axes that are alike stay one object."""
    axes = field.axes
    first = axes[0]
    low, high, jump, least, _, phases = first
    if phases or any(axis.phases for axis in axes):
        move = Move.of(window)
        return Field(tuple(slid(axis, move) for axis in axes), field.dims)
    shift = window.before * jump
    grown = window.reach * jump
    moved = Axis(low - shift, high + grown - shift, jump * window.stride, least + grown)
    if all(axis is first for axis in axes):
        return Field((moved,) * len(axes), field.dims)
    move = Move.of(window)
    return Field((moved, *(slid(axis, move) for axis in axes[1:])), field.dims)


def slid(axis: Axis, move: Move) -> Axis:
    """One axis under a window."""
    low, high, jump, least, whole, phases = axis
    grown, shift = move.reach * jump, move.before * jump
    made = Axis(
        whole_if(low - shift),
        whole_if(high + grown - shift),
        whole_if(jump * move.stride),
        whole_if(least + grown),
        whole,
    )
    if whole or not (phases or isinstance(move.stride + move.before + move.reach, Fraction)):
        return made
    return _phased(made, axis, move)


def _phased(made: Axis, axis: Axis, move: Move) -> Axis:
    """What each position reads, up to where it repeats."""
    stride, known = Fraction(move.stride), max(len(axis.phases), 1)
    count = stride.denominator * (known // gcd(stride.numerator, known))
    if count > MOST or not axis.exact:
        return made
    return with_phases(
        made, [hull(axis.at(p) for p in move.back(Line(1, o))) for o in range(count)]
    )


def with_phases(axis: Axis, phases: list[Reach | None]) -> Axis:
    """With its phases; a single one needs no telling."""
    if not any(phases):
        return axis
    if len(phases) > 1:
        made = axis._replace(phases=tuple(phases))
    else:
        (only,) = phases
        assert only is not None  # any(phases) has said so
        made = axis._replace(low=only[0], high=only[1])
    return made._replace(least=min(axis.least, made.size))


def hull(each: Iterable[Reach | None]) -> Reach | None:
    """From the first pixel that any of them reads to the last."""
    found = [reach for reach in each if reach is not None]
    return (min(low for low, _ in found), max(high for _, high in found)) if found else None


def whole_if(number: Number) -> Number:
    """A fraction that is an integer as one: integers are quick."""
    if type(number) is Fraction and number.denominator == 1:  # an ABC's isinstance is slow
        return number.numerator
    return number


def offset(axis: Axis, by: int) -> Axis:
    """The first position is a later one."""
    if by == 0:
        return axis
    low, high = axis.low + by * axis.jump, axis.high + by * axis.jump
    phases = tuple(axis.at(o + by) for o in range(len(axis.phases)))
    return axis._replace(low=whole_if(low), high=whole_if(high), phases=phases)


def absorbed(axis: Axis, length: int) -> Axis:
    """All positions of an axis read at once."""
    spread = (length - 1) * axis.jump
    low, high = axis.low, axis.high + spread
    if axis.phases:
        low, high = hull(axis.at(o) for o in range(length)) or (low, high)
    return Axis(low, high, 0, axis.least + spread, True)


def both(one: Field, other: Field, made: Shape) -> Field:
    """What is read through either of two ways that make a tensor of that shape."""
    if one.dims == other.dims and len(one.axes) == 2:
        a, b = one.axes, other.axes
        if a[0] is a[1] and b[0] is b[1]:
            joined = joined_axis(a[0], b[0])
            return Field((joined, joined), one.dims, not joined.whole)
    axes = []
    dims = []
    for a_axis, a_dim, b_axis, b_dim in zip(
        one.axes, one.dims, other.axes, other.dims, strict=True
    ):
        if a_dim == b_dim:
            axes.append(joined_axis(a_axis, b_axis))
            dims.append(a_dim)
        elif a_dim >= 0 and b_dim >= 0:  # positions along two axes at once: both are lost
            lengths = (made[a_dim], made[b_dim])
            axes.append(joined_axis(*map(absorbed, (a_axis, b_axis), lengths)))
            dims.append(-1)
        else:  # one of them has lost its positions: the other's are kept
            kept, lost = (b_axis, a_axis) if a_dim < 0 else (a_axis, b_axis)
            axes.append(kept._replace(least=min(kept.least, lost.least), whole=True))
            dims.append(b_dim if a_dim < 0 else a_dim)
    return Field(tuple(axes), tuple(dims), not any(axis.whole for axis in axes))


def joined_axis(a: Axis, b: Axis) -> Axis:
    """What is read along an axis through either of two ways."""
    whole = a.whole or b.whole or a.jump != b.jump
    made = Axis(
        min(a.low, b.low), max(a.high, b.high), a.jump or b.jump, min(a.least, b.least), whole
    )
    count = lcm(len(a.phases) or 1, len(b.phases) or 1)
    if whole or not 1 < count <= MOST or not (a.exact and b.exact):
        return made
    return with_phases(made, [hull((a.at(o), b.at(o))) for o in range(count)])
