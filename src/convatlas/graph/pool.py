"""Pooling: by sliding windows, to a given size, and LeNet-5's trainable sub-sampling."""

from dataclasses import dataclass
from typing import Literal

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, shown
from convatlas.graph.window import Pair, Window, slid, windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Pooling over sliding windows, map by map."""

    how: Literal["max", "avg", "lp"]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[Pair, ...]
    dilation: tuple[int, ...]
    ceil: bool = False
    count_include_pad: bool = True  # of averages; nothing to the others

    @property
    def windows(self) -> tuple[Window, ...]:
        """One window for each axis."""
        return windows(self.kernel, self.stride, self.padding, self.dilation)

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: one operation for each value of each window."""
        axes = len(self.kernel)
        batch, space = inputs[0][:-axes], inputs[0][-axes:]
        sizes = (slid(w, size, ceil=self.ceil) for w, size in zip(self.windows, space, strict=True))
        shape = (*batch, *sizes)
        return Measure(shape, 0, elements(shape) * elements(self.kernel))


@dataclass(frozen=True, slots=True, kw_only=True)
class AdaptivePool:
    """Pooling to a given size, whatever the input's; ``None`` keeps an axis."""

    how: Literal["max", "avg"]
    size: tuple[int | None, ...]

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """Work: every value is read once (windows that overlap by rounding not counted)."""
        axes = len(self.size)
        batch, space = inputs[0][:-axes], inputs[0][-axes:]
        if any(size < 1 for size in space):
            raise ShapeError(f"nothing is left to pool: given {shown(inputs[0])}")
        kept = (old if new is None else new for new, old in zip(self.size, space, strict=True))
        return Measure((*batch, *kept), 0, elements(inputs[0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class SubSampling:
    """The sum of each window times the map's one weight, plus its one bias (LeNet-5, S2 and S4)."""

    kernel: tuple[int, ...] = (2, 2)

    @property
    def windows(self) -> tuple[Window, ...]:
        """Windows that do not overlap."""
        still = ((0, 0),) * len(self.kernel)
        return windows(self.kernel, self.kernel, still, (1,) * len(self.kernel))

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """One multiply-add for each unit; the sums are other work."""
        axes = len(self.kernel)
        batch, space = inputs[0][:-axes], inputs[0][-axes:]
        shape = (*batch, *map(slid, self.windows, space))
        count = elements(shape)
        return Measure(shape, count, count * elements(self.kernel))
