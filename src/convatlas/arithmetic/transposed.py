"""Transposed convolution: every input pixel paints a kernel's worth of outputs.

It takes a map back to the size it had before a convolution of the same geometry, not to its
values (Dumoulin & Visin 2016, chapter 4).
"""

from dataclasses import dataclass

from convatlas.arithmetic.checks import at_least, divided
from convatlas.arithmetic.convolution import Cost, num_weights
from convatlas.arithmetic.geometry import Geometry, Pair
from convatlas.arithmetic.size import span, transposed_size
from convatlas.errors import UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Transposed:
    """A transposed convolution; its padding is what it cuts off the painted map."""

    c_in: int
    c_out: int
    geometry: Geometry
    output_padding: Pair = (0, 0)
    groups: int = 1
    bias: bool = True

    def __post_init__(self) -> None:
        at_least(1, {"input channels": self.c_in, "output channels": self.c_out})
        at_least(1, {"groups": self.groups})
        at_least(0, {"output padding": min(self.output_padding)})
        divided(self.groups, self.c_in, self.c_out)
        if self.geometry.padding == "same":
            raise UserError(f"a transposed convolution takes padding as a number; {self._advice()}")
        for extra, stride, dilation in zip(
            self.output_padding, self.geometry.stride, self.geometry.dilation, strict=True
        ):
            if extra and extra >= max(stride, dilation):
                raise UserError(
                    f"output padding {extra} must be smaller than stride or dilation, here "
                    f"{max(stride, dilation)}; use a smaller one or a larger stride"
                )

    @property
    def weights(self) -> int:
        """k·k·c_in·c_out / groups, as of the convolution it belongs to."""
        return num_weights(self.geometry.kernel, self.c_in, self.c_out, self.groups)

    @property
    def borders(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """The pixels cut off before and after, for each axis."""
        rows, columns = (0 if pad == "valid" else int(pad) for pad in self.geometry.pads)
        return (rows, rows), (columns, columns)

    def output(self, size: Pair) -> Pair:
        """Height and width of the painted map; `UserError` if nothing is left of it."""
        geometry, extra = self.geometry, self.output_padding
        height, width = (
            transposed_size(
                size[axis],
                geometry.kernel[axis],
                geometry.stride[axis],
                self.borders[axis],
                geometry.dilation[axis],
                extra[axis],
            )
            for axis in (0, 1)
        )
        return height, width

    def cost(self, size: Pair) -> Cost:
        """On a map of ``size``: every input value meets every weight of its channel."""
        macs = self.weights * size[0] * size[1]
        return Cost(
            (self.c_out, *self.output(size)), self.weights, self.c_out if self.bias else 0, macs
        )

    def overlaps(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """How many inputs paint an output, for each of the places within a stride, on each axis.

        That is away from the border. Where the numbers differ the output has a checkerboard
        (Odena, Dumoulin & Olah 2016).
        """
        rows, columns = (
            tuple(
                sum(tap * dilation % stride == place for tap in range(kernel))
                for place in range(stride)
            )
            for kernel, stride, dilation in zip(
                self.geometry.kernel, self.geometry.stride, self.geometry.dilation, strict=True
            )
        )
        return rows, columns

    def _advice(self) -> str:
        """The padding that multiplies the size by the stride, where there is one."""
        reach = span(self.geometry.kernel[0], self.geometry.dilation[0])
        stride = self.geometry.stride[0]
        padding = max(0, -((stride - reach) // 2))
        extra = stride - reach + 2 * padding
        if extra and extra >= max(stride, self.geometry.dilation[0]):
            return "give --padding N"
        more = f" --output-padding {extra}" if extra else ""
        return f"--padding {padding}{more} makes the output {stride} times the input"
