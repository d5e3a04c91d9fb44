"""How each operation moves a receptive field."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import accumulate
from math import lcm
from operator import mul

from convatlas.graph import field_split as digits
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.field_axes import Field, Move, slid
from convatlas.graph.field_places import renumbered, shifted, spread, started, walks
from convatlas.graph.field_split import merged
from convatlas.graph.field_unfold import folded, unfolded
from convatlas.graph.norm import BatchNorm, GroupNorm, LayerNorm, ResponseNorm
from convatlas.graph.operation import Operation, Shape
from convatlas.graph.pixels import divided, interpolated, spread_from
from convatlas.graph.pixels import moved as steps
from convatlas.graph.pixels import shuffled as laid
from convatlas.graph.pointwise import Activation, Arithmetic, Dropout, Replace, Softmax
from convatlas.graph.pool import AdaptivePool, Pool, SubSampling
from convatlas.graph.product import (
    Attention,
    AttentionWeights,
    Dense,
    Distance,
    Einsum,
    MatrixProduct,
)
from convatlas.graph.rearrange import (
    Concat,
    Expand,
    Flatten,
    Pad,
    Permute,
    PixelShuffle,
    Reduce,
    Resize,
    Roll,
    Select,
    Slice,
    Squeeze,
    Unsqueeze,
    View,
)
from convatlas.graph.recurrent import LastState, Recurrent
from convatlas.graph.resampling import Grid, grid
from convatlas.graph.sizes import value
from convatlas.graph.source import Beside, Constant, Gather, Picked, Unknown
from convatlas.graph.unfold import Fold, Unfold

Fields = Sequence[Field | None]
Shapes = Sequence[Shape]
Rule = Callable[[Operation, Fields, Shapes, Shape], Field | None]


def pointwise(_operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Value by value, missing axes in front filled."""
    return merged(
        (
            field and shifted(field, len(made) - len(shape))
            for field, shape in zip(fields, shapes, strict=True)
        ),
        made,
    )


def windowed(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Convolution and pooling."""
    assert isinstance(operation, Conv | Pool | SubSampling)
    each = [Move.of(window) for window in operation.windows]
    return fields[0] and spread(fields[0], shapes[0], each)


def transposed(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Output o reads the inputs (o + p - t·d) / s: of these fractions the whole ones are there."""
    assert isinstance(operation, ConvTransposed)
    each: list[Move] = []
    for k, s, p, d in zip(
        operation.kernel, operation.stride, operation.padding, operation.dilation, strict=True
    ):
        reach = Fraction((k - 1) * d, s)
        move = Move(reach - Fraction(p, s), reach, Fraction(1, s), spread_from(k, s, p, d))
        each.append(move)
    return fields[0] and spread(fields[0], shapes[0], each)


def adaptive(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Windows that divide the axis; where they do not, the largest and its furthest places."""
    assert isinstance(operation, AdaptivePool)
    axes = len(operation.size)
    each = [_adaptive(size, out) for size, out in zip(shapes[0][-axes:], made[-axes:], strict=True)]
    return fields[0] and spread(fields[0], shapes[0], each)


def _adaptive(size: int, out: int) -> Move | None:
    if out == 1 and size > 1:
        return None
    back = divided(size, out)
    if size % out == 0:
        return Move(0, size // out - 1, size // out, back)
    ratio, slack = Fraction(size, out), Fraction(out - 1, out)
    return Move(slack, ratio - 1 + 2 * slack, ratio, back)


def resized(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Interpolation: the neighbours that have weight."""
    assert isinstance(operation, Resize)
    axes = len(operation.sizes or operation.factors or ())
    sizes = zip(shapes[0][-axes:], made[-axes:], strict=True)
    if operation.mode == "area":
        each = [_adaptive(size, out) for size, out in sizes]
    else:
        each = [_resized(operation.mode, grid(operation, axis, *s)) for axis, s in enumerate(sizes)]
    return fields[0] and spread(fields[0], shapes[0], each)


def _resized(mode: str, on: Grid) -> Move:
    start, step = on
    back = interpolated(start, step, mode)
    least = Fraction(1, lcm(start.denominator, step.denominator))
    if mode.startswith("nearest"):
        return Move(1 - least - start, 1 - least, step, back)
    reach = (2 if mode == "bicubic" else 1) - least  # a neighbour a whole step away has no weight
    return Move(reach - start, 2 * reach, step, back)


def shuffled(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Pixel shuffle: position ``o`` comes from ``⌊o / r⌋``, or from r of them the other way."""
    assert isinstance(operation, PixelShuffle)
    r = operation.factor
    slack = 1 - Fraction(1, r)
    back = laid(r, operation.inverse)
    one = Move(0, r - 1, r, back) if operation.inverse else Move(slack, slack, Fraction(1, r), back)
    return fields[0] and spread(fields[0], shapes[0], [one, one])


def dense(_operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """The last axis is mixed."""
    last = len(shapes[0]) - 1
    return fields[0] and renumbered(fields[0], shapes[0], {d: d for d in range(last)})


def softmax(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Every value of its axis reads all others."""
    assert isinstance(operation, Softmax)
    axis = operation.axis % len(made)
    places = {d: d for d in range(len(made)) if d != axis}
    return fields[0] and renumbered(fields[0], shapes[0], places)


def product(_operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Rows keep their place, columns theirs; what they are joined over is read as a whole."""
    a, b = shapes[:2]
    left = {d: d + len(made) - len(a) for d in range(len(a) - 1)}
    right = {d: d + len(made) - len(b) for d in range(len(b)) if d != len(b) - 2}
    return merged(
        (
            field and renumbered(field, shape, places)
            for field, shape, places in zip(fields, shapes, (left, right), strict=False)
        ),
        made,
    )


def einsum(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Letters of the result keep their place, the others are summed over."""
    assert isinstance(operation, Einsum)
    terms, result = operation.equation.split("->")
    ways = []
    for field, shape, term in zip(fields, shapes, terms.split(","), strict=True):
        places = {d: result.index(a) for d, a in enumerate(term) if a in result}
        ways.append(field and renumbered(field, shape, places))
    return merged(ways, made)


def attention(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Each query reads all keys and values."""
    assert isinstance(operation, Attention)
    ways = []
    for position, (field, shape) in enumerate(zip(fields[:3], shapes[:3], strict=True)):
        tokens = 0 if operation.first else len(shape) - 2
        mixed = {len(shape) - 1} if position == 0 else {len(shape) - 1, tokens}
        places = {d: d for d in range(len(shape)) if d not in mixed}
        ways.append(field and renumbered(field, shape, places))
    return merged(ways, made)


def permuted(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Axes take their new places."""
    assert isinstance(operation, Permute)
    places = {old: new for new, old in enumerate(operation.order)}
    return fields[0] and renumbered(fields[0], shapes[0], places)


def viewed(_operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """An axis is found again if it has its length, and as much in front of it; else by digits."""
    field = fields[0]
    if field is None:
        return None
    if field.split is None:
        places = _found_again(shapes[0], made)
        if all(d in places or shapes[0][d] == 1 for d in field.dims if d >= 0):
            return renumbered(field, shapes[0], places)
    return digits.viewed(field, shapes[0], made) or renumbered(field, shapes[0], {})


def _found_again(shape: Shape, made: Shape) -> dict[int, int]:
    """Axes of the same length with as many values in front of them."""
    fronts = list(accumulate(made, mul, initial=1))
    places: dict[int, int] = {}
    front = 1
    for dim, size in enumerate(shape):
        for new, other in enumerate(made):
            if other == size and fronts[new] == front and (size > 1 or new not in places):
                places[dim] = new
                break
        front *= size
    return places


def reduced(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Axes that are summed over are read as a whole."""
    assert isinstance(operation, Reduce)
    shape = shapes[0]
    gone = {axis % len(shape) for axis in operation.axes}
    kept = [axis for axis in range(len(shape)) if axis not in gone]
    places = {axis: axis if operation.keep else new for new, axis in enumerate(kept)}
    return fields[0] and renumbered(fields[0], shape, places)


def dropped(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Squeeze, select: axes behind move up; a single position stands for the one it is."""
    assert isinstance(operation, Squeeze | Select)
    shape = shapes[0]
    axes = operation.axes if isinstance(operation, Squeeze) else (operation.axis,)
    gone = {axis % len(shape) for axis in axes}
    if isinstance(operation, Squeeze):
        gone = {axis for axis in gone if shape[axis] == 1}
    kept = [axis for axis in range(len(shape)) if axis not in gone]
    field = fields[0]
    if field is not None and isinstance(operation, Select):
        index = value(operation.index, tuple(shapes))
        field = started(field, {axis: index % shape[axis] for axis in gone})
        shape = tuple(1 if axis in gone else size for axis, size in enumerate(shape))
    return field and renumbered(field, shape, {axis: new for new, axis in enumerate(kept)})


def added(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Unsqueeze: axes behind move back."""
    assert isinstance(operation, Unsqueeze)
    at = operation.axis % len(made)
    places = {axis: axis + (axis >= at) for axis in range(len(shapes[0]))}
    return fields[0] and renumbered(fields[0], shapes[0], places)


def expanded(_operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """New axes in front; an axis of one that is repeated has no positions of its own."""
    by = len(made) - len(shapes[0])
    same = {d: d + by for d, size in enumerate(shapes[0]) if made[d + by] == size}
    return fields[0] and renumbered(fields[0], shapes[0], same)


def cut(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """A slice starts further on and takes longer steps."""
    assert isinstance(operation, Slice)
    field, shape = fields[0], shapes[0]
    if field is None:
        return None
    axis = operation.axis % len(shape)
    start = value(operation.start, tuple(shapes))
    start = max(start + shape[axis], 0) if start < 0 else start
    moved = started(field, {axis: start})
    step = operation.step
    if step == 1 or moved.split is not None:
        return moved
    axes = tuple(
        slid(a, Move(0, 0, step, steps(0, step))) if dim == axis else a
        for a, dim in zip(moved.axes, moved.dims, strict=True)
    )
    return moved._replace(axes=axes)


def padded(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """A border moves positions back."""
    assert isinstance(operation, Pad)
    first = len(made) - len(operation.widths)
    befores = {
        first + number: -value(before, tuple(shapes))
        for number, (before, _) in enumerate(operation.widths)
    }
    return fields[0] and started(fields[0], befores)


def rolled(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Positions move; like every border, the edge they come around is not looked at."""
    assert isinstance(operation, Roll)
    by = dict.fromkeys(operation.axes, 0)
    for axis, shift in zip(operation.axes, operation.shifts, strict=True):
        by[axis] -= value(shift, tuple(shapes))
    return fields[0] and started(fields[0], by)


def joined(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Maps side by side; along an axis of the picture its positions are lost."""
    assert isinstance(operation, Concat)
    at = operation.axis % len(made)
    if not any(field is not None and walks(field, at) for field in fields):
        return merged(fields, made)
    places = {d: d for d in range(len(made)) if d != at}
    return merged(
        (
            field and renumbered(field, shape, places)
            for field, shape in zip(fields, shapes, strict=True)
        ),
        made,
    )


def lost(_operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """Anything may read anything."""
    return merged(
        (
            field and renumbered(field, shape, {})
            for field, shape in zip(fields, shapes, strict=True)
        ),
        made,
    )


def fixed(_operation: Operation, _fields: Fields, _shapes: Shapes, _made: Shape) -> Field | None:
    """Values that read nothing of the picture, whatever their sizes are taken from."""
    return None


def beside(operation: Operation, fields: Fields, shapes: Shapes, made: Shape) -> Field | None:
    """A further result: position by position if it has the shape of the first."""
    rule = pointwise if tuple(shapes[0]) == tuple(made) else lost
    return rule(operation, fields, shapes, made)


# What is read as a whole by these is no axis of the result.
MIXING = (dense, softmax, product, einsum, attention, reduced, folded)
# What is not named here may read anything.
RULES: dict[type, Rule] = {
    **dict.fromkeys((Activation, Arithmetic, Dropout, Replace), pointwise),
    **dict.fromkeys((BatchNorm, GroupNorm, LayerNorm, ResponseNorm), pointwise),
    Beside: beside,
    Constant: fixed,
    **dict.fromkeys((Conv, Pool, SubSampling), windowed),
    ConvTransposed: transposed,
    AdaptivePool: adaptive,
    Resize: resized,
    PixelShuffle: shuffled,
    **dict.fromkeys((Dense, Distance), dense),
    Softmax: softmax,
    MatrixProduct: product,
    Einsum: einsum,
    Attention: attention,
    Permute: permuted,
    **dict.fromkeys((View, Flatten), viewed),
    Reduce: reduced,
    **dict.fromkeys((Squeeze, Select), dropped),
    Unsqueeze: added,
    Expand: expanded,
    Slice: cut,
    Pad: padded,
    Roll: rolled,
    Unfold: unfolded,
    Fold: folded,
    Concat: joined,
    **dict.fromkeys((Gather, Picked, Unknown, AttentionWeights, Recurrent, LastState), lost),
}
