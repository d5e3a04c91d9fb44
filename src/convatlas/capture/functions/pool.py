"""Pooling as torch calls it."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.capture.arguments import Handler, several
from convatlas.capture.dim import Axis, origin
from convatlas.capture.traced import Traced
from convatlas.capture.tracer import Tracer
from convatlas.graph.pool import AdaptivePool, Pool


def max_pool(  # noqa: PLR0913 - torch's own signature
    axes: int,
    tracer: Tracer,
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """F.max_pool1d, 2d, 3d."""
    if whole(input, kernel_size, stride, padding):
        return adaptive_pool("max", axes, tracer, input, 1, return_indices)
    kernel = several(kernel_size, axes)
    operation = Pool(
        how="max",
        kernel=kernel,
        stride=several(stride, axes) if stride else kernel,
        padding=tuple([(p, p) for p in several(padding, axes)]),
        dilation=several(dilation, axes),
        ceil=ceil_mode,
    )
    made = tracer.record(operation, [input])
    return (made, tracer.beside(made, torch.int64)) if return_indices else made


def avg_pool(  # noqa: PLR0913 - torch's own signature
    axes: int,
    tracer: Tracer,
    input: Tensor,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    padding: int | Sequence[int] = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Traced:
    """F.avg_pool1d, 2d, 3d; another divisor is only another factor."""
    if whole(input, kernel_size, stride, padding):
        return adaptive_pool("avg", axes, tracer, input, 1)
    kernel = several(kernel_size, axes)
    operation = Pool(
        how="avg",
        kernel=kernel,
        stride=several(stride, axes) if stride else kernel,
        padding=tuple([(p, p) for p in several(padding, axes)]),
        dilation=(1,) * axes,
        ceil=ceil_mode,
        count_include_pad=count_include_pad,
    )
    return tracer.record(operation, [input])


def whole(input: Tensor, kernel: Any, stride: Any, padding: Any) -> bool:
    """Whether the window is the whole picture at any size: ``F.avg_pool2d(x, x.shape[2:])``."""
    if not isinstance(input, Traced) or not isinstance(kernel, list | tuple) or stride or padding:
        return False
    own = [Axis(input.node, input.dim() - len(kernel) + n) for n in range(len(kernel))]
    return [origin(size) for size in kernel] == own


def lp_pool(
    axes: int,
    tracer: Tracer,
    input: Tensor,
    norm_type: float,
    kernel_size: int | Sequence[int],
    stride: int | Sequence[int] | None = None,
    ceil_mode: bool = False,
) -> Traced:
    """F.lp_pool1d, 2d, 3d."""
    kernel = several(kernel_size, axes)
    operation = Pool(
        how="lp",
        kernel=kernel,
        stride=several(stride, axes) if stride else kernel,
        padding=((0, 0),) * axes,
        dilation=(1,) * axes,
        ceil=ceil_mode,
    )
    return tracer.record(operation, [input])


def adaptive_pool(
    how: Literal["max", "avg"],
    axes: int,
    tracer: Tracer,
    input: Tensor,
    output_size: int | Sequence[int | None],
    return_indices: bool = False,
) -> Any:
    """F.adaptive_avg_pool1d … F.adaptive_max_pool3d."""
    each = (output_size,) * axes if isinstance(output_size, int) else tuple(output_size)
    size = tuple(None if s is None else int(s) for s in each)
    made = tracer.record(AdaptivePool(how=how, size=size), [input])
    return (made, tracer.beside(made, torch.int64)) if return_indices else made


# F.max_pool2d is chosen among two functions on every call, and either may be what is seen.
HANDLERS: dict[object, Handler] = {
    **dict.fromkeys((F.max_pool1d, torch.max_pool1d), partial(max_pool, 1)),
    **dict.fromkeys((F.max_pool2d, torch.max_pool2d), partial(max_pool, 2)),
    **dict.fromkeys((F.max_pool3d, torch.max_pool3d), partial(max_pool, 3)),
    F.max_pool1d_with_indices: partial(max_pool, 1, return_indices=True),
    F.max_pool2d_with_indices: partial(max_pool, 2, return_indices=True),
    F.max_pool3d_with_indices: partial(max_pool, 3, return_indices=True),
    F.avg_pool1d: partial(avg_pool, 1),
    F.avg_pool2d: partial(avg_pool, 2),
    F.avg_pool3d: partial(avg_pool, 3),
    F.lp_pool1d: partial(lp_pool, 1),
    F.lp_pool2d: partial(lp_pool, 2),
    F.lp_pool3d: partial(lp_pool, 3),
    F.adaptive_avg_pool1d: partial(adaptive_pool, "avg", 1),
    F.adaptive_avg_pool2d: partial(adaptive_pool, "avg", 2),
    F.adaptive_avg_pool3d: partial(adaptive_pool, "avg", 3),
    F.adaptive_max_pool1d: partial(adaptive_pool, "max", 1),
    F.adaptive_max_pool2d: partial(adaptive_pool, "max", 2),
    F.adaptive_max_pool3d: partial(adaptive_pool, "max", 3),
}
