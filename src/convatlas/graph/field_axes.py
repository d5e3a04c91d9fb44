"""What is known of a receptive field, and how two of them join."""

from collections.abc import Iterable
from fractions import Fraction
from math import floor
from typing import NamedTuple

Number = int | Fraction


class Axis(NamedTuple):
    """What is read along one axis of the picture.

    ``least``: the size along the narrowest way through the branches. ``whole``: some way reads
    from all positions at once (a global pool, a dense layer, attention).
    """

    low: Number
    high: Number
    jump: Number
    least: Number
    whole: bool = False

    @property
    def size(self) -> int:
        """Pixels from the first that is read to the last, at the position that reads most."""
        return floor(self.high - self.low) + 1

    @property
    def start(self) -> Fraction:
        """The middle of what the first position reads, in pixels (0 is the first pixel)."""
        return Fraction(self.low + self.high) / 2


class Field(NamedTuple):
    """The axes of the picture, and which axis of the tensor walks along each (-1: none)."""

    axes: tuple[Axis, ...]
    dims: tuple[int, ...]
    local: bool = True  # no axis is read as a whole

    @classmethod
    def of_pixels(cls, dims: tuple[int, ...]) -> "Field":
        """Each position reads itself."""
        return cls((Axis(0, 0, 1, 1),) * len(dims), dims)

    @property
    def size(self) -> tuple[int, ...]:
        """The size along each axis."""
        return tuple(axis.size for axis in self.axes)


def slid_along(field: Field, window: tuple[int, int, int]) -> Field:
    """The same window on every axis; axes that are alike stay one object."""
    before, reach, stride = window
    first = field.axes[0]
    low, high, jump, least, _ = first
    shift = before * jump
    grown = reach * jump
    moved = Axis(low - shift, high + grown - shift, jump * stride, least + grown)
    axes = field.axes
    if all(axis is first for axis in axes):
        return Field((moved,) * len(axes), field.dims)
    rest = (slid(axis, before, reach, stride) for axis in axes[1:])
    return Field((moved, *rest), field.dims)


def slid(axis: Axis, before: Number, reach: Number, stride: Number) -> Axis:
    """One axis under a window; strides below one spread it out."""
    low, high, jump, least, whole = axis
    grown = reach * jump
    return Axis(
        whole_if(low - before * jump),
        whole_if(high + grown - before * jump),
        whole_if(jump * stride),
        whole_if(least + grown),
        whole,
    )


def whole_if(number: Number) -> Number:
    """A fraction that is an integer as one: integers are quick."""
    if isinstance(number, Fraction) and number.denominator == 1:
        return number.numerator
    return number


def absorbed(axis: Axis, length: int) -> Axis:
    """All positions of an axis read at once."""
    spread = (length - 1) * axis.jump
    return Axis(axis.low, axis.high + spread, 0, axis.least + spread, True)


def merged(fields: Iterable[Field | None]) -> Field | None:
    """What is read through any of several ways."""
    result: Field | None = None
    for field in fields:
        if field is None or field is result:
            continue
        result = field if result is None else _both(result, field)
    return result


def _both(one: Field, other: Field) -> Field:
    if one.dims == other.dims and len(one.axes) == 2:
        a, b = one.axes, other.axes
        if a[0] is a[1] and b[0] is b[1]:
            joined = _joined(a[0], b[0])
            return Field((joined, joined), one.dims, not joined.whole)
    axes = []
    dims = []
    for a_axis, a_dim, b_axis, b_dim in zip(
        one.axes, one.dims, other.axes, other.dims, strict=True
    ):
        if a_dim == b_dim:
            axes.append(_joined(a_axis, b_axis))
            dims.append(a_dim)
        else:  # one of them has lost its positions: the other's are kept
            kept, lost = (b_axis, a_axis) if a_dim < 0 else (a_axis, b_axis)
            axes.append(kept._replace(least=min(kept.least, lost.least), whole=True))
            dims.append(b_dim if a_dim < 0 else a_dim)
    return Field(tuple(axes), tuple(dims), not any(axis.whole for axis in axes))


def _joined(a: Axis, b: Axis) -> Axis:
    return Axis(
        min(a.low, b.low),
        max(a.high, b.high),
        a.jump or b.jump,
        min(a.least, b.least),
        a.whole or b.whole or a.jump != b.jump,
    )
