"""Positions of the picture while its axes are cut into digits: windows, patches, tokens.

A view of H×W as (H/7)×7×(W/7)×7 cuts each axis into digits, as an hour into minutes. While they are
apart or lie beside one another in one axis of the tensor, ``Split`` says where each of them is; the
picture's axis keeps counting whole positions, o = Σ digit · weight. A digit that is read as a whole
(attention within a window) is placed nowhere, and what is read no longer depends on it.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product
from math import gcd, lcm
from typing import NamedTuple

from convatlas.graph.field_axes import (
    MOST,
    Axis,
    Field,
    Reach,
    absorbed,
    both,
    hull,
    joined_axis,
    whole_if,
    with_phases,
)
from convatlas.graph.operation import Shape, elements

NONE, BATCH = -1, -2  # atoms that are no digit of the picture
EFFORT = 1 << 16  # positions looked at for one digit that is read as a whole


class Atom(NamedTuple):
    """A part of an axis of the tensor: so many steps along an axis of the picture, so far apart."""

    size: int
    axis: int = NONE
    weight: int = 0


Atoms = tuple[Atom, ...]


class Split(NamedTuple):
    """The axes of the tensor that hold digits, outermost digit first; and how long the axes are."""

    grid: tuple[tuple[int, Atoms], ...]
    lengths: tuple[int, ...]

    @property
    def digits(self) -> Iterator[tuple[int, Atom]]:
        """Every digit with the axis of the tensor it is in."""
        return ((dim, atom) for dim, atoms in self.grid for atom in atoms if atom.axis >= 0)


def split_of(field: Field, shape: Shape) -> Split:
    """Of a field whose axes are whole: each is a single digit."""
    if field.split is not None:
        return field.split
    grid = tuple(
        (dim, (Atom(shape[dim], axis, 1),))
        for axis, dim in sorted(enumerate(field.dims), key=lambda each: each[1])
        if dim >= 0
    )
    return Split(grid, tuple(shape[dim] if dim >= 0 else 1 for dim in field.dims))


def of(axes: Sequence[Axis], split: Split) -> Field:
    """A field in digits; nothing in it is told by ``dims``."""
    return Field(tuple(axes), (-1,) * len(axes), not any(axis.whole for axis in axes), split)


def settled(field: Field) -> Field:
    """For what cannot follow digits: each axis is read as a whole."""
    if field.split is None:
        return field
    axes = tuple(
        axis if axis.whole else absorbed(axis, length)
        for axis, length in zip(field.axes, field.split.lengths, strict=True)
    )
    return Field(axes, (-1,) * len(axes), not any(axis.whole for axis in axes))


def moved(field: Field, places: dict[int, int]) -> Field:
    """Axes of the tensor go to new places; the digits of one that goes nowhere are read at once."""
    assert field.split is not None
    gone = [(dim, atom) for dim, atom in field.split.digits if dim not in places]
    grid = tuple(sorted((places[dim], atoms) for dim, atoms in field.split.grid if dim in places))
    left = Split(grid, field.split.lengths)
    return without(field, gone, left) if gone else of(field.axes, left)


def without(field: Field, gone: Sequence[tuple[int, Atom]], left: Split) -> Field:
    """Some digits are read as a whole; ``left`` holds the others."""
    placed = {atom.axis for _, atom in left.digits}
    axes: list[Axis] = []
    lost: set[int] = set()
    known: dict[tuple[Axis, tuple[Atom, ...]], Axis | None] = {}  # rows and columns are often alike
    for number, (axis, length) in enumerate(zip(field.axes, left.lengths, strict=True)):
        mine = tuple(sorted(atom._replace(axis=0) for _, atom in gone if atom.axis == number))
        if (axis, mine) not in known and number in placed:
            known[axis, mine] = _read_at_once(axis, mine)
        made = known[axis, mine] if number in placed else None
        if made is None and (mine or number in placed):
            lost.add(number)
            made = absorbed(axis, length)
        elif made is not None and any(a.size * a.weight == length for a in mine):
            made = made._replace(whole=True, phases=())  # from the first part to the last
        axes.append(made or axis)
    return of(axes, _bare(left, lost))


def _bare(split: Split, lost: set[int]) -> Split:
    """Without the digits of some axes."""
    if not lost:
        return Split(_with_digits(split.grid), split.lengths)
    grid = (
        (dim, tuple(Atom(a.size) if a.axis in lost else a for a in atoms))
        for dim, atoms in split.grid
    )
    return Split(_with_digits(grid), split.lengths)


def _with_digits(grid: Iterable[tuple[int, Atoms]]) -> tuple[tuple[int, Atoms], ...]:
    """Axes of the tensor in which there is a digit."""
    return tuple([(dim, atoms) for dim, atoms in grid if any(a.axis >= 0 for a in atoms)])


def _read_at_once(axis: Axis, digits: Sequence[Atom]) -> Axis | None:
    """What a position reads if all values of some digits are read at once; ``None``: too much."""
    if not digits or axis.whole:
        return axis
    known = max(len(axis.phases), 1)
    period = lcm(known, *(atom.weight * atom.size for atom in digits))
    steps = [[value * a.weight for value in range(a.size)] for a in digits]
    if period > MOST or period * elements(map(len, steps)) > EFFORT or not axis.exact:
        return None
    together = [sum(each) for each in product(*steps)]
    reaches: list[Reach | None] = []
    known_from: dict[int, Reach | None] = {}  # the same for all that differ in these digits alone
    for o in range(period):
        first = o - sum([o // a.weight % a.size * a.weight for a in digits])
        if first not in known_from:
            known_from[first] = hull([axis.at(first + more) for more in together])
        reaches.append(known_from[first])
    grown = sum((a.size - 1) * a.weight for a in digits) * axis.jump
    return _from_phases(reaches, axis.jump, axis.least + grown)


def _from_phases(reaches: list[Reach | None], jump: int | Fraction, least: int | Fraction) -> Axis:
    """An axis by what its first positions read."""
    jump = whole_if(jump)
    known = [(o, reach) for o, reach in enumerate(reaches) if reach is not None]
    low = min([reach[0] - o * jump for o, reach in known], default=0)
    high = max([reach[1] - o * jump for o, reach in known], default=0)
    return with_phases(Axis(whole_if(low), whole_if(high), jump, least), reaches)


def viewed(field: Field, shape: Shape, made: Shape) -> Field | None:
    """The same values under another shape; ``None`` where the cuts do not meet."""
    split = split_of(field, shape)
    held = dict(split.grid)
    flat: list[Atom] = []
    for dim, size in enumerate(shape):
        atoms = held.get(dim, (Atom(size, NONE if dim else BATCH),))
        if elements(atom.size for atom in atoms) != size:
            return None  # an axis that was stretched
        for atom in atoms:
            if atom.size == 1:
                continue
            if flat and atom.axis == flat[-1].axis == NONE:
                flat[-1] = Atom(flat[-1].size * atom.size)
            else:
                flat.append(atom)
    grid = _cut(flat[::-1], made)
    if grid is None:
        return None
    left = Split(grid, split.lengths)
    found = of(field.axes, left)
    for dim, atoms in grid:  # a vector of maps and positions has no positions any more
        here = sum(atom.axis >= 0 for atom in atoms)
        if here == len(list(left.digits)) and any(a.axis == NONE for a in atoms):
            return moved(found, {d: d for d, _ in grid if d != dim})
    return found


def _cut(rest: list[Atom], made: Shape) -> tuple[tuple[int, Atoms], ...] | None:
    """Atoms, the first at the end, dealt out to new axes from the front; cut where they must be."""
    grid: list[tuple[int, Atoms]] = []
    for dim, size in enumerate(made):
        atoms: list[Atom] = []
        while size > 1:
            if not rest:
                return None
            count, axis, weight = rest.pop()
            if count > size:
                if count % size:
                    return None
                rest.append(Atom(count // size, axis, weight))
                count, weight = size, weight * (count // size)
            elif size % count:
                return None
            atoms.append(Atom(count, axis, weight))
            size //= count
        if any(atom.axis >= 0 for atom in atoms):
            grid.append((dim, tuple(atoms)))
    return None if rest else tuple(grid)


def plain(field: Field, *, coarser: bool) -> Field:
    """With axes that walk along the tensor's again, if every digit is back in its place.

    ``coarser``: also where inner digits are no more, so that positions lie farther apart.
    """
    if field.split is None:
        return field
    axes, dims = list(field.axes), [-1] * len(field.axes)
    for dim, atom in field.split.digits:
        if dims[atom.axis] not in (-1, dim):
            return field  # digits of one axis are apart
        dims[atom.axis] = dim
    grid = dict(field.split.grid)
    for number, (axis, length) in enumerate(zip(field.axes, field.split.lengths, strict=True)):
        if dims[number] < 0:
            axes[number] = axis if axis.whole else absorbed(axis, length)
            continue
        found = _along(axis, grid[dims[number]], number, length, coarser)
        if found is None:
            return field
        axes[number] = axes[0] if number and found == axes[0] else found
    return Field(tuple(axes), tuple(dims), not any(axis.whole for axis in axes))


def _along(axis: Axis, atoms: Atoms, number: int, length: int, coarser: bool) -> Axis | None:
    """One axis of the picture along one of the tensor: its digits from the top, then others."""
    own = [atom for atom in atoms if atom.axis == number]
    ordered = all(one.weight > other.weight for one, other in pairwise(own))
    behind = atoms[len(own) :]
    top = own[0].weight
    if tuple(own) != atoms[: len(own)] or any(a.axis != NONE for a in behind) or not ordered:
        return None
    if top * own[0].size != length:
        return None
    if axis.whole:
        return axis
    inner = elements(atom.size for atom in atoms[1:])
    if inner == top and not behind and own[-1].weight == 1:
        return axis
    known = max(len(axis.phases), 1)
    rounds = known // gcd(known, top)
    if inner * rounds > MOST or not axis.exact or (inner < top and axis.jump > 0 and not coarser):
        return None
    reaches = [axis.at(_position(o, atoms)) for o in range(inner * rounds)]
    return _from_phases(reaches, Fraction(top, inner) * axis.jump, axis.least)


def _position(o: int, atoms: Atoms) -> int:
    """Where an index of the tensor's axis is along the picture's; the top digit is not bounded."""
    at = 0
    for atom in atoms[:0:-1]:
        o, digit = divmod(o, atom.size)
        at += digit * max(atom.weight, 0) if atom.axis >= 0 else 0
    return at + o * atoms[0].weight


def joined(one: Field, other: Field, made: Shape) -> Field:
    """What is read through either of two ways that make one tensor, one of them in digits."""
    one, other = of(one.axes, split_of(one, made)), of(other.axes, split_of(other, made))
    one, other = _refined(one, other), _refined(other, one)
    a, b = one.split, other.split
    assert a is not None
    assert b is not None
    if a.lengths != b.lengths:
        return _both_whole(one, other)
    mine = {(atom.axis, atom.weight): (dim, atom) for dim, atom in a.digits}
    theirs = {(atom.axis, atom.weight): (dim, atom) for dim, atom in b.digits}
    apart = [key for key in mine if key in theirs and mine[key] != theirs[key]]
    if any(mine[key][1] != theirs[key][1] for key in apart):
        return _both_whole(one, other)
    one, other = _less(one, [mine[key] for key in apart]), _less(other, [theirs[k] for k in apart])
    grid = _overlaid(one, other)
    if grid is None:
        return _both_whole(one, other)
    return of(_joined_axes(one, other), Split(grid, a.lengths))


def _refined(field: Field, other: Field) -> Field:
    """Positions counted as finely as another field does, where these are parts of its own.

    So it is where inner digits were read as a whole on one way, and not on the other.
    """
    split, finer = field.split, other.split
    assert split is not None
    assert finer is not None
    axes, times = list(field.axes), [1] * len(field.axes)
    for number, (length, wanted) in enumerate(zip(split.lengths, finer.lengths, strict=True)):
        parts, rest = divmod(wanted, max(length, 1))
        axis = field.axes[number]
        period = parts * max(len(axis.phases), 1)
        if rest or parts < 2 or axis.whole or length == 1 or period > MOST or not axis.exact:
            continue
        reaches = [axis.at(o // parts) for o in range(period)]
        axes[number] = _from_phases(reaches, Fraction(axis.jump) / parts, axis.least)
        times[number] = parts
    grid = tuple(
        (
            dim,
            tuple(a._replace(weight=a.weight * times[a.axis]) if a.axis >= 0 else a for a in each),
        )
        for dim, each in split.grid
    )
    lengths = tuple(n * more for n, more in zip(split.lengths, times, strict=True))
    return of(axes, Split(grid, lengths))


def _less(field: Field, gone: Sequence[tuple[int, Atom]]) -> Field:
    """Some digits stand in two axes of a product at once: there they are read as a whole."""
    assert field.split is not None
    if not gone:
        return field
    names = set(gone)
    grid = (
        (dim, tuple(Atom(a.size) if (dim, a) in names else a for a in atoms))
        for dim, atoms in field.split.grid
    )
    return without(field, gone, Split(_with_digits(grid), field.split.lengths))


def _overlaid(one: Field, other: Field) -> tuple[tuple[int, Atoms], ...] | None:
    """The digits of both; ``None`` where they do not lie alike in one axis."""
    assert one.split is not None
    assert other.split is not None
    grid = dict(one.split.grid)
    for dim, atoms in other.split.grid:
        if grid.setdefault(dim, atoms) != atoms:
            return None
    digits = [
        (atom.axis, atom.weight) for atoms in grid.values() for atom in atoms if atom.axis >= 0
    ]
    return tuple(sorted(grid.items())) if len(set(digits)) == len(digits) else None


def _both_whole(one: Field, other: Field) -> Field:
    axes = _joined_axes(settled(one), settled(other))
    return Field(tuple(axes), (-1,) * len(axes), not any(axis.whole for axis in axes))


def _joined_axes(one: Field, other: Field) -> list[Axis]:
    """Each of one with each of the other; rows and columns are often alike."""
    axes: list[Axis] = []
    for number, (a, b) in enumerate(zip(one.axes, other.axes, strict=True)):
        alike = number and (a, b) == (one.axes[0], other.axes[0])
        axes.append(axes[0] if alike else joined_axis(a, b))
    return axes


def merged(fields: Iterable[Field | None], made: Shape) -> Field | None:
    """What is read through any of several ways that make a tensor of that shape."""
    result: Field | None = None
    for field in fields:
        if field is None or field is result:
            continue
        if result is None:
            result = field
        elif field.split is not None and field == result:
            continue
        elif result.split is None and field.split is None:
            result = both(result, field, made)
        else:
            result = joined(result, field, made)
    return result
