"""Sliding windows along one axis: what convolution and pooling share."""

from typing import NamedTuple

from convatlas.graph.operation import ShapeError

Pair = tuple[int, int]


class Window(NamedTuple):
    """A window along an axis: output o reads o·stride - before + t·dilation for t < kernel."""

    kernel: int
    stride: int
    before: int
    after: int
    dilation: int

    @property
    def reach(self) -> int:
        """From the first position read to the last: the effective kernel less one."""
        return (self.kernel - 1) * self.dilation


def windows(
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: tuple[Pair, ...],
    dilation: tuple[int, ...],
) -> tuple[Window, ...]:
    """One window for each axis."""
    return tuple(
        Window(k, s, before, after, d)
        for k, s, (before, after), d in zip(kernel, stride, padding, dilation, strict=True)
    )


def slid(window: Window, size: int, *, ceil: bool = False) -> int:
    """Positions of a window along an axis.

    Rounding up follows torch: a last window that would start in the padding behind is left out.
    """
    room = size + window.before + window.after - window.reach - 1
    count = (room + window.stride - 1 if ceil else room) // window.stride + 1
    if ceil and (count - 1) * window.stride >= size + window.before:
        count = count - 1
    if count < 1:
        raise ShapeError(
            f"a window of {window.reach + 1} does not fit into {size}"
            + (
                f" + {window.before} + {window.after} of padding"
                if window.before or window.after
                else ""
            )
            + f"; it needs at least {window.reach + 1 - window.before - window.after}"
        )
    return count
