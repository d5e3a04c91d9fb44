"""Convolutions as torch calls them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from convatlas.capture.arguments import Handler, several
from convatlas.capture.dim import bare
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import Tracer
from convatlas.graph.conv import Conv, ConvTransposed
from convatlas.graph.operation import Shape


def conv(  # noqa: PLR0913 - torch's own signature
    tracer: Tracer,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | str | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
) -> Traced:
    """torch.conv1d, conv2d, conv3d."""
    shape = plain(weight)
    axes = len(shape) - 2
    kernel = shape[2:]
    spread = several(dilation, axes)
    operation = Conv(
        c_in=shape[1] * bare(groups),
        c_out=shape[0],
        kernel=kernel,
        stride=several(stride, axes),
        padding=borders(padding, kernel, spread),
        dilation=spread,
        groups=bare(groups),
        bias=bias is not None,
    )
    return tracer.record(operation, [input], parameters=[weight, bias])


def borders(
    padding: int | str | Sequence[int], kernel: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """Padding before and after; of an odd sum *same* puts the larger part behind, as torch does."""
    if padding == "same":
        reach = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
        return tuple((total // 2, total - total // 2) for total in reach)
    if isinstance(padding, str):
        return ((0, 0),) * len(kernel)
    return tuple([(p, p) for p in several(padding, len(kernel))])


def conv_transpose(  # noqa: PLR0913 - torch's own signature
    tracer: Tracer,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    output_padding: int | Sequence[int] = 0,
    groups: int = 1,
    dilation: int | Sequence[int] = 1,
) -> Traced:
    """torch.conv_transpose1d, 2d, 3d."""
    shape = plain(weight)
    axes = len(shape) - 2
    operation = ConvTransposed(
        c_in=shape[0],
        c_out=shape[1] * bare(groups),
        kernel=shape[2:],
        stride=several(stride, axes),
        padding=several(padding, axes),
        output_padding=several(output_padding, axes),
        dilation=several(dilation, axes),
        groups=bare(groups),
        bias=bias is not None,
    )
    return tracer.record(operation, [input], parameters=[weight, bias])


def plain(weight: Tensor) -> Shape:
    """A weight's sizes; a graph with one that depends on the input holds for this input size."""
    return tuple(map(int, weight.shape))


HANDLERS: dict[object, Handler] = {
    torch.conv1d: conv,
    torch.conv2d: conv,
    torch.conv3d: conv,
    torch.conv_transpose1d: conv_transpose,
    torch.conv_transpose2d: conv_transpose,
    torch.conv_transpose3d: conv_transpose,
}
