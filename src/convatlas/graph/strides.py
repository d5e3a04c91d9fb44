"""Steps in memory: how far apart neighbours along each axis lie, as torch counts them.

A tensor's strides tell whether it can be seen under another shape without a copy.
"""

from collections.abc import Sequence

from convatlas.graph.operation import Shape

Strides = tuple[int, ...]


def contiguous(shape: Shape) -> Strides:
    """The last axis next to one another, then the one before it, and so on."""
    made: list[int] = []
    step = 1
    for size in reversed(shape):
        made.append(step)
        step *= max(size, 1)
    return tuple(reversed(made))


def is_contiguous(shape: Shape, strides: Strides) -> bool:
    """Axes of length 1 may have any stride, and an empty tensor always is."""
    step = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size == 0:
            return True
        if size != 1:
            if stride != step:
                return False
            step *= size
    return True


def viewed(shape: Shape, strides: Strides, wanted: Shape) -> Strides | None:
    """The strides of the same memory under another shape; ``None`` if only a copy can have it.

    Axes that lie seamlessly within one another form a run; a run can be cut anew, runs not joined.
    """
    if 0 in shape:
        return contiguous(wanted)
    made: list[int] = []
    rest = list(wanted)
    for length, step in reversed(_runs(shape, strides)):
        filled = 1
        while rest and (filled < length or rest[-1] == 1):
            made.append(filled * step)
            filled *= rest.pop()
        if filled != length:
            return None
    return None if rest else tuple(reversed(made))


def _runs(shape: Shape, strides: Strides) -> list[tuple[int, int]]:
    """Length and last stride of every run of axes, from the front."""
    runs: list[tuple[int, int]] = []
    for size, stride in zip(shape, strides, strict=True):
        if size == 1:
            continue
        if runs and runs[-1][1] == size * stride:
            runs[-1] = (runs[-1][0] * size, stride)
        else:
            runs.append((size, stride))
    return runs or [(1, 1)]


def is_channels_last(shape: Shape, strides: Strides) -> bool:
    """Whether torch takes a picture's tensor to have its channels side by side."""
    if len(shape) not in (4, 5) or strides[1] == 0:
        return False
    smallest = 0
    for axis in (1, *range(len(shape) - 1, 1, -1), 0):
        if shape[axis] == 0 or strides[axis] < smallest:
            return False
        if axis == 0 and smallest == strides[1]:
            return False
        smallest = strides[axis] * max(shape[axis], 1)
    return True


def channels_last(shape: Shape) -> Strides:
    """Channels side by side, then the axes of space from the last, then the batch."""
    return _filled(shape, (1, *range(len(shape) - 1, 1, -1), 0))


def dense(shape: Shape, operands: Sequence[tuple[Shape, Strides]]) -> Strides:
    """What an operation value by value makes: no holes, axes in the order of its operands."""
    padded = [_stretched(len(shape), *operand) for operand in operands]
    whole = [strides for each, strides in padded if each == shape]
    if len(whole) == len(padded) and len(set(whole)) == 1 and _has_no_holes(shape, whole[0]):
        return whole[0]
    order = list(range(len(shape)))[::-1]
    for later in range(1, len(order)):
        at = later
        for before in range(later - 1, -1, -1):
            swap = _compared(order[before], order[at], shape, [s for _, s in padded])
            if swap > 0:
                order[before], order[at] = order[at], order[before]
                at = before
            elif swap < 0:
                break
    return _filled(shape, order)


def _compared(one: int, other: int, shape: Shape, operands: list[Strides]) -> int:
    """Whether axis ``one`` lies outside axis ``other`` (1), inside it (-1), or nobody can tell."""
    for strides in operands:
        if strides[one] == 0 or strides[other] == 0:
            continue
        if strides[one] != strides[other]:
            return -1 if strides[one] < strides[other] else 1
        if shape[one] > shape[other]:
            return 1
    return 0


def _stretched(axes: int, shape: Shape, strides: Strides) -> tuple[Shape, Strides]:
    """With missing axes in front; an axis that is repeated has no stride."""
    missing = axes - len(shape)
    kept = tuple(0 if size == 1 else s for size, s in zip(shape, strides, strict=True))
    whole = strides if missing == 0 else (0,) * missing + kept
    return (1,) * missing + shape, whole


def _has_no_holes(shape: Shape, strides: Strides) -> bool:
    step = 1
    for stride, size in sorted((s, n) for n, s in zip(shape, strides, strict=True) if n != 1):
        if stride != step:
            return False
        step *= size
    return True


def _filled(shape: Shape, order: Sequence[int]) -> Strides:
    """Strides without holes, axes from the innermost on in the order given."""
    made = [0] * len(shape)
    step = 1
    for axis in order:
        made[axis] = step
        step *= max(shape[axis], 1)
    return tuple(made)
