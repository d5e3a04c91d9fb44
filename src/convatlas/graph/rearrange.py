"""Operations that move, join, cut or reduce values: no multiply-adds."""

from dataclasses import dataclass
from math import floor

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, is_one, shown
from convatlas.graph.sizes import Size, value


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The same values in the same order under another shape; one size may be -1 (the rest)."""

    sizes: tuple[Size, ...]

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved."""
        sizes = [value(size, inputs) for size in self.sizes]
        count = elements(inputs[0])
        if -1 in sizes:
            rest = sizes.index(-1)
            known = elements(size for size in sizes if size != -1)
            sizes[rest] = count // known if known != 0 else 0
        if elements(sizes) != count:
            raise ShapeError(f"cannot see {shown(inputs[0])} as {shown(sizes)}")
        return Measure(tuple(sizes), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flatten:
    """The axes from ``first`` to ``last`` as one."""

    first: int
    last: int

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved."""
        shape = inputs[0]
        first, last = self.first % len(shape), self.last % len(shape)
        made = (*shape[:first], elements(shape[first : last + 1]), *shape[last + 1 :])
        return Measure(made, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permute:
    """The axes in another order."""

    order: tuple[int, ...]

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved until a copy is asked for."""
        return Measure(tuple([inputs[0][axis] for axis in self.order]), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expand:
    """Axes of length 1 repeated without a copy; -1 keeps an axis."""

    sizes: tuple[Size, ...]

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved."""
        sizes = [value(size, inputs) for size in self.sizes]
        filled = (1,) * (len(sizes) - len(inputs[0])) + inputs[0]
        made = [old if new == -1 else new for new, old in zip(sizes, filled, strict=True)]
        if any(not is_one(old) and old != new for new, old in zip(made, filled, strict=True)):
            raise ShapeError(f"cannot stretch {shown(inputs[0])} to {shown(made)}")
        return Measure(tuple(made), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of one axis: ``x[start:stop:step]``, as Python counts."""

    axis: int
    start: Size
    stop: Size | None
    step: int = 1

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved."""
        shape = inputs[0]
        axis, size = self.axis % len(shape), shape[self.axis]
        start = _within(value(self.start, inputs), size)
        stop = size if self.stop is None else _within(value(self.stop, inputs), size)
        if stop < start:
            stop = start
        length = (stop - start + self.step - 1) // self.step
        return Measure((*shape[:axis], length, *shape[axis + 1 :]), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """One position of an axis, which goes away: ``x[:, 3]``."""

    axis: int
    index: Size

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved."""
        shape = inputs[0]
        axis, index = self.axis % len(shape), value(self.index, inputs)
        if not -shape[axis] <= index < shape[axis]:
            raise ShapeError(f"there is no position {index} on an axis of {shape[axis]}")
        return Measure((*shape[:axis], *shape[axis + 1 :]), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsqueeze:
    """A new axis of length 1 before ``axis`` (counted in the result)."""

    axis: int

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved."""
        axis = self.axis % (len(inputs[0]) + 1)
        return Measure((*inputs[0][:axis], 1, *inputs[0][axis:]), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Squeeze:
    """Axes of length 1 taken away."""

    axes: tuple[int, ...]

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Nothing is moved; an axis that is longer than 1 stays."""
        gone = {axis % len(inputs[0]) for axis in self.axes}
        kept = (size for axis, size in enumerate(inputs[0]) if axis not in gone or size != 1)
        return Measure(tuple(kept), 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concat:
    """Tensors one behind the other along an axis."""

    axis: int

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is copied."""
        axis = self.axis % len(inputs[0])
        total = inputs[0][axis]
        rest = inputs[0][:axis] + inputs[0][axis + 1 :]
        for other in inputs[1:]:
            if other[:axis] + other[axis + 1 :] != rest:
                raise ShapeError(
                    f"cannot join {' and '.join(map(shown, inputs))} along axis {axis}: "
                    "the other axes differ; mind padding and rounding of the branches"
                )
            total += other[axis]
        shape = (*inputs[0][:axis], total, *inputs[0][axis + 1 :])
        return Measure(shape, 0, elements(shape))


# Borders whose values come from the inside: by how much the axis must be longer.
BORROWED = {"reflect": 1, "circular": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pad:
    """A border around the last axes, given as (before, after) from the first padded axis on."""

    widths: tuple[tuple[Size, Size], ...]
    mode: str = "constant"

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is copied."""
        shape, axes = inputs[0], len(self.widths)
        made, cut = list(shape[: len(shape) - axes]), False
        for size, pair in zip(shape[-axes:], self.widths, strict=True):
            before, after = widths = tuple(value(width, inputs) for width in pair)
            made.append(size + before + after)
            cut = cut or size + min(before, 0) + min(after, 0) < 0 or made[-1] < 1
            if self.mode in BORROWED and max(before, after) > size - BORROWED[self.mode]:
                raise ShapeError(f"{shown(shape)} is too small for a {self.mode} border: {widths}")
        if cut:
            raise ShapeError(f"cuts {shown(shape)} down to {shown(made)}: nothing is left")
        return Measure(tuple(made), 0, elements(made))


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """Values moved along axes, those that fall off at one end coming back at the other."""

    shifts: tuple[Size, ...]
    axes: tuple[int, ...]

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is copied."""
        return Measure(inputs[0], 0, elements(inputs[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduce:
    """Sum, mean, maximum … over axes."""

    function: str
    axes: tuple[int, ...]
    keep: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is read once."""
        shape = inputs[0]
        gone = {axis % len(shape) for axis in self.axes}
        if self.keep:
            made = tuple(1 if axis in gone else size for axis, size in enumerate(shape))
        else:
            made = tuple(size for axis, size in enumerate(shape) if axis not in gone)
        if any(shape[axis] < 1 for axis in gone):
            raise ShapeError(f"nothing is left to reduce: given {shown(shape)}")
        return Measure(made, 0, elements(shape))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Interpolation of the last axes to other sizes, or by whole or broken factors."""

    mode: str
    sizes: tuple[Size, ...] | None
    factors: tuple[float, ...] | None = None
    align_corners: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: a weighted sum of the neighbours read, twice their number for each value."""
        shape = inputs[0]
        if self.sizes is not None:
            axes = len(self.sizes)
            space = tuple(value(size, inputs) for size in self.sizes)
        else:
            assert self.factors is not None
            axes = len(self.factors)
            space = tuple(
                size * int(factor) if factor == int(factor) else floor(size * factor)
                for size, factor in zip(shape[-axes:], self.factors, strict=True)
            )
        if any(size < 1 for size in space):
            raise ShapeError(f"cannot resize {shown(shape)} to {shown(space)}")
        made = (*shape[:-axes], *space)
        read = {"linear": 2, "bilinear": 4, "bicubic": 16, "trilinear": 8}.get(self.mode)
        return Measure(made, 0, elements(made) * (2 * read if read else 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelShuffle:
    """Groups of ``factor²`` maps laid out as a finer map, or (``inverse``) the other way round."""

    factor: int
    inverse: bool = False

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is copied."""
        *batch, maps, height, width = inputs[0]
        r = self.factor
        if self.inverse:
            made = (*batch, maps * r * r, height // r, width // r)
        else:
            made = (*batch, maps // (r * r), height * r, width * r)
        if elements(made) != elements(inputs[0]):
            raise ShapeError(f"cannot shuffle {shown(inputs[0])} by {r}")
        return Measure(made, 0, elements(made))


def _within(index: int, size: int) -> int:
    """A slice's bound as Python reads it: from the end if negative, cut to the axis."""
    if index < 0:
        index = size + index
        return index if index > 0 else 0
    return index if index < size else size
