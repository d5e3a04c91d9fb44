"""The size of a feature map along one axis.

Everything here is +, -, * and // on what is given, so anything that behaves like a whole number
will do. A border is (before, after): the pixels added on the two sides.
"""

from typing import Literal

from convatlas.errors import UserError

Border = tuple[int, int]
Word = Literal["valid", "same"]


def span(kernel: int, dilation: int = 1) -> int:
    """From the first to the last pixel under a kernel: its effective size."""
    return dilation * (kernel - 1) + 1


def rounded_up(dividend: int, divisor: int) -> int:
    """⌈dividend / divisor⌉ without leaving the whole numbers."""
    return -(-dividend // divisor)


def border(
    padding: int | Word, size: int, kernel: int, stride: int = 1, dilation: int = 1
) -> Border:
    """The pixels that a padding adds before and after an axis of ``size``.

    *valid* adds none. *same* adds what makes the output ⌈size / stride⌉; an odd number has its
    extra pixel at the end. This is TensorFlow's rule; torch knows *same* for stride 1 only, where
    the two agree, and refuses it otherwise.
    """
    if padding == "valid":
        return 0, 0
    if padding == "same":
        return _same(size, span(kernel, dilation), stride)
    return padding, padding


def _same(size: int, reach: int, stride: int) -> Border:
    total = max(0, (rounded_up(size, stride) - 1) * stride + reach - size)
    return total // 2, total - total // 2


def output_size(
    size: int, kernel: int, stride: int = 1, padding: Border = (0, 0), dilation: int = 1
) -> int:
    """⌊(size + padding - span) / stride⌋ + 1: the places where a kernel fits.

    Raises `UserError` if it fits nowhere.
    """
    reach, padded = span(kernel, dilation), size + padding[0] + padding[1]
    if reach > padded:
        raise _too_large(kernel, dilation, padded)
    return (padded - reach) // stride + 1


def pooled_size(
    size: int,
    kernel: int,
    stride: int,
    padding: Border = (0, 0),
    dilation: int = 1,
    *,
    ceil: bool = False,
) -> int:
    """`output_size`, or with ``ceil`` rounded up: a last window may then hang over the end.

    As in torch, such a window must begin inside the input or the padding before it; one that
    would begin in the padding after it is dropped. Raises `UserError` if no window is left.
    """
    if not ceil:
        return output_size(size, kernel, stride, padding, dilation)
    reach, padded = span(kernel, dilation), size + padding[0] + padding[1]
    last = rounded_up(padded - reach, stride)
    if last * stride >= size + padding[0]:
        last -= 1
    if last < 0:
        raise _too_large(kernel, dilation, padded)
    return last + 1


def transposed_size(
    size: int,
    kernel: int,
    stride: int = 1,
    padding: Border = (0, 0),
    dilation: int = 1,
    output_padding: int = 0,
) -> int:
    """(size - 1)·stride - padding + span + output padding: `output_size` solved for its input.

    Several inputs lead to one output when the stride does not divide; the output padding picks
    among them. Raises `UserError` if the padding cuts everything away.
    """
    reach = span(kernel, dilation)
    result = (size - 1) * stride - padding[0] - padding[1] + reach + output_padding
    if result < 1:
        raise UserError(
            f"a padding of {padding[0]} and {padding[1]} cuts away all {result + sum(padding)} "
            "pixels that the transposed convolution paints; use less padding or a larger input"
        )
    return result


def lost_at_end(
    size: int, kernel: int, stride: int = 1, padding: Border = (0, 0), dilation: int = 1
) -> int:
    """Pixels at the end of the axis that no window reaches, lost when the stride does not divide.

    Those between windows, when the stride is larger than the kernel, are not counted; see
    `convatlas.arithmetic.window.Window.unread` for all.
    """
    last = output_size(size, kernel, stride, padding, dilation) - 1
    return max(0, padding[0] + size - last * stride - span(kernel, dilation))


def _too_large(kernel: int, dilation: int, padded: int) -> UserError:
    dilated = (
        f" with dilation {dilation} spans {span(kernel, dilation)} pixels," if dilation > 1 else ""
    )
    return UserError(
        f"a kernel of {kernel}{dilated or ' is'} larger than the input with its padding, {padded}; "
        "use a smaller kernel or dilation, more padding or a larger input"
    )
