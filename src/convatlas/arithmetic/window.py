"""A kernel sliding along one axis."""

from dataclasses import dataclass

from convatlas.arithmetic.checks import at_least
from convatlas.arithmetic.size import Border, pooled_size, span


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Kernel, stride, dilation and border of one layer along one axis.

    ``ceil`` rounds the number of places up, as a pool can.
    """

    kernel: int
    stride: int = 1
    dilation: int = 1
    border: Border = (0, 0)
    ceil: bool = False

    def __post_init__(self) -> None:
        at_least(1, {"kernel": self.kernel, "stride": self.stride, "dilation": self.dilation})
        at_least(0, {"padding": min(self.border)})

    @property
    def span(self) -> int:
        """Effective size of the kernel."""
        return span(self.kernel, self.dilation)

    def output(self, size: int) -> int:
        """How often it fits into ``size`` pixels; `UserError` if never."""
        return pooled_size(
            size, self.kernel, self.stride, self.border, self.dilation, ceil=self.ceil
        )

    def read(self, place: int, size: int) -> tuple[int, ...]:
        """The input pixels under the kernel at one of its places, without those of the border."""
        first = place * self.stride - self.border[0]
        taps = range(first, first + self.span, self.dilation)
        return tuple(tap for tap in taps if 0 <= tap < size)

    def unread(self, size: int) -> tuple[int, ...]:
        """The input pixels that it reads at none of its places.

        They lie at the end when the stride does not divide, and between the places when the
        stride is larger than the kernel.
        """
        taps = sum(1 << tap for tap in range(0, self.span, self.dilation))
        seen = 0  # one bit for each pixel of the padded axis
        for place in range(self.output(size)):
            seen |= taps << place * self.stride
        seen >>= self.border[0]
        return tuple(pixel for pixel in range(size) if not seen >> pixel & 1)
