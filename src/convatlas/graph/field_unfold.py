"""Fields of windows laid out side by side: the places of the windows are rows and columns still."""

from collections.abc import Sequence
from fractions import Fraction

from convatlas.graph.field_axes import Field, Move
from convatlas.graph.field_places import renumbered, spread
from convatlas.graph.field_split import Atom, Split, of
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.pixels import spread_from
from convatlas.graph.unfold import Fold, Unfold, positions


def unfolded(
    operation: Operation, fields: Sequence[Field | None], shapes: Sequence[Shape], made: Shape
) -> Field | None:
    """Each place sees its window; a single value of its column one pixel of that."""
    assert isinstance(operation, Unfold)
    if fields[0] is None:
        return None
    field = spread(fields[0], shapes[0], [Move.of(window) for window in operation.windows])
    sides = dict(zip((-2, -1), positions(operation, shapes[0]), strict=True))
    atoms, lengths = [], [1] * len(field.dims)
    for axis, dim in sorted(enumerate(field.dims), key=lambda each: each[1]):
        side = sides.get(dim - len(shapes[0]), 0) if dim >= 0 else 0
        if side:
            atoms.append(Atom(side, axis, 1))
            lengths[axis] = side
    if len(atoms) != len(sides):
        return renumbered(field, (*made[:-2], *sides.values()), {})
    return of(field.axes, Split(((len(made) - 1, tuple(atoms)),), tuple(lengths)))


def folded(
    operation: Operation, fields: Sequence[Field | None], shapes: Sequence[Shape], made: Shape
) -> Field | None:
    """As a transposed convolution, if the columns are in the order of their windows."""
    assert isinstance(operation, Fold)
    field = fields[0]
    if field is None:
        return None
    sides = positions(operation, made)
    last = (Atom(sides[0], 0, 1), Atom(sides[1], 1, 1))
    if field.split != Split(((len(shapes[0]) - 1, last),), tuple(sides)):
        return renumbered(field, shapes[0], {})
    each = []
    for window in operation.windows:
        reach = Fraction(window.reach, window.stride)
        back = spread_from(window.kernel, window.stride, window.before, window.dilation)
        start = reach - Fraction(window.before, window.stride)
        each.append(Move(start, reach, Fraction(1, window.stride), back))
    laid = Field(field.axes, (len(made) - 2, len(made) - 1), field.local)
    return spread(laid, (*made[:-2], *sides), each)
