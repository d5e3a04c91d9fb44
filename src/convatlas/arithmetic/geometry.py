"""Where a layer's kernel stands on the two axes of a map."""

from dataclasses import dataclass

from convatlas.arithmetic.checks import at_least
from convatlas.arithmetic.size import Word, border
from convatlas.arithmetic.window import Window
from convatlas.errors import UserError

Pair = tuple[int, int]
Shape = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Kernel, stride, padding and dilation as (height, width)."""

    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair | Word = (0, 0)
    dilation: Pair = (1, 1)

    def __post_init__(self) -> None:
        at_least(1, {"kernel": min(self.kernel), "stride": min(self.stride)})
        at_least(1, {"dilation": min(self.dilation)})
        if not isinstance(self.padding, str):
            at_least(0, {"padding": min(self.padding)})

    @property
    def pads(self) -> tuple[int | Word, int | Word]:
        """The padding of each axis."""
        return (self.padding, self.padding) if isinstance(self.padding, str) else self.padding

    def windows(self, size: Pair, *, ceil: bool = False) -> tuple[Window, Window]:
        """The kernel along each axis of a map of ``size``, which *same* needs to know."""
        rows, columns = (
            Window(
                kernel=kernel,
                stride=stride,
                dilation=dilation,
                border=border(pad, length, kernel, stride, dilation),
                ceil=ceil,
            )
            for kernel, stride, dilation, pad, length in zip(
                self.kernel, self.stride, self.dilation, self.pads, size, strict=True
            )
        )
        return rows, columns

    def output(self, size: Pair) -> Pair:
        """Height and width after the layer; `UserError` naming the axis if nothing is left."""
        height, width = self.windows(size)
        return fitted(height, size[0], "height"), fitted(width, size[1], "width")


def fitted(window: Window, size: int, axis: str) -> int:
    """The output along a named axis."""
    try:
        return window.output(size)
    except UserError as error:
        raise UserError(f"{axis} {size}: {error}") from None
