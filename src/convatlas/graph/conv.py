"""Convolution and transposed convolution over any number of axes."""

from dataclasses import dataclass

from convatlas.graph.operation import Measure, Shape, ShapeError, elements, shown
from convatlas.graph.window import Pair, Window, slid, windows


@dataclass(frozen=True, slots=True, kw_only=True)
class Conv:
    """Convolution: ``(N, c_in, …)`` to ``(N, c_out, …)``.

    ``links``: how many pairs of input and output maps are joined, where a table names them
    (LeNet-5's C3) instead of groups. A second input, if there is one, is a computed weight.
    """

    c_in: int
    c_out: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[Pair, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    bias: bool = True
    padding_mode: str = "zeros"
    links: int | None = None

    @property
    def windows(self) -> tuple[Window, ...]:
        """One window for each axis."""
        return windows(self.kernel, self.stride, self.padding, self.dilation)

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """MACs: each output position reads kernel x c_in / groups values for each map."""
        batch, space = _take(self, inputs[0])
        out = tuple(map(slid, self.windows, space))
        links = self.c_in * self.c_out // self.groups if self.links is None else self.links
        shape = (*batch, self.c_out, *out)
        macs = elements(batch) * links * elements(self.kernel) * elements(out)
        return Measure(shape, macs, elements(shape) if self.bias else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvTransposed:
    """Transposed convolution: every input value is spread over a window of the output."""

    c_in: int
    c_out: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    output_padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1
    bias: bool = True

    def measure(self, inputs: tuple[Shape, ...]) -> Measure:
        """MACs: every input position is scattered, whether or not the border keeps it."""
        batch, space = _take(self, inputs[0])
        out = tuple(
            (size - 1) * s - 2 * p + d * (k - 1) + extra + 1
            for size, k, s, p, extra, d in zip(
                *(space, self.kernel, self.stride, self.padding),
                *(self.output_padding, self.dilation),
                strict=True,
            )
        )
        if any(size < 1 for size in out):
            raise ShapeError(f"its output would be {shown(out)}; use less padding")
        shape = (*batch, self.c_out, *out)
        pairs = self.c_in * self.c_out // self.groups
        macs = elements(batch) * pairs * elements(self.kernel) * elements(space)
        return Measure(shape, macs, elements(shape) if self.bias else 0)


def _take(conv: Conv | ConvTransposed, shape: Shape) -> tuple[Shape, Shape]:
    """Batch and space of an input; the batch may be missing, as torch allows."""
    axes = len(conv.kernel)
    fits = axes < len(shape) <= axes + 2
    if not fits or shape[-axes - 1] != conv.c_in:
        raise ShapeError(
            f"takes {conv.c_in} channels (N×{conv.c_in}×{'×'.join('DHW'[3 - axes :])}), "
            f"given {shown(shape)}"
            + (f"; set its in_channels to {shape[-axes - 1]}" if fits else "")
        )
    return shape[: -axes - 1], shape[-axes:]
