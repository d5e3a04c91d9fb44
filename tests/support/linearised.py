"""Which pixels a value reads, found by torch itself: where the gradient of a linear copy is not 0.

The network's own code runs, but every convolution averages what it reads (equal positive weights),
every maximum is a sum over the same window and every non-linearity hands its input on. No term can
cancel, so a pixel has a gradient exactly if some way leads from it to the value.
"""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


def support(
    module: nn.Module,
    shape: tuple[int, ...],
    pick: Callable[[Any], Tensor],
    *,
    thin: bool = False,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """Where on the picture ``pick(output)`` has a gradient: (H, W) of bool, over all channels.

    ``thin``: every layer reads the mean of all maps, so wide networks are quick and need no
    weights (they may lie on the meta device); channels are mixed, positions are not.
    """
    picture = torch.ones(shape, dtype=dtype, requires_grad=True)
    with _Linear(thin):
        value = pick(module.eval()(picture))
    (gradient,) = torch.autograd.grad(value.sum(), picture)
    assert bool((gradient >= 0).all())
    return gradient.sum((0, 1)) > 0


def features(module: nn.Module, place: str) -> nn.Module:
    """A network that returns what its part ``place`` is given."""

    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, x: Tensor) -> Tensor:
            kept: list[Tensor] = []
            part = module.get_submodule(place)
            handle = part.register_forward_pre_hook(lambda _m, given: kept.append(given[0]))
            try:
                module(x)
            finally:
                handle.remove()
            return kept[0]

    return Cut()


def mask(rows: dict[int, Any], height: int, width: int) -> Tensor:
    """`Pixels.rows` as a picture of bool."""
    made = torch.zeros(height, width, dtype=torch.bool)
    for row, line in rows.items():
        made[row, list(line)] = True
    return made


class _Linear(TorchFunctionMode):
    def __init__(self, thin: bool) -> None:
        super().__init__()
        self.thin = thin

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = getattr(func, "__name__", "").rstrip("_")
        kwargs = kwargs or {}
        if name in SAME:
            return args[0]
        if name.startswith("max_pool"):
            return max_pool(args[0], *args[1:], **kwargs)
        if name == "adaptive_max_pool2d":
            return F.adaptive_avg_pool2d(args[0], *args[1:])
        if func in (torch.conv2d, torch.conv_transpose2d):
            return self._conv(func, *args, **kwargs)
        if name in ("mul", "__mul__"):
            return args[0] + args[1]  # reads both, whatever their values
        if name == "linear" and (self.thin or args[1].is_meta):
            return args[0].mean(-1, keepdim=True).expand(*args[0].shape[:-1], args[1].shape[0])
        if name == "linear":
            return F.linear(args[0], torch.full_like(args[1], 1 / args[1].shape[1]))
        if name in ("softmax", "log_softmax"):
            axis = kwargs.get("dim", args[1] if len(args) > 1 else -1)
            return args[0].mean(axis, keepdim=True).expand_as(args[0])
        return func(*args, **kwargs)

    def _conv(
        self, func: Any, x: Tensor, weight: Tensor, bias: Tensor | None = None, *rest: Any, **k: Any
    ) -> Tensor:
        share = 1 / weight[0].numel()
        if not self.thin:
            return func(x, torch.full_like(weight, share, dtype=x.dtype), None, *rest, **k)
        back = func is torch.conv_transpose2d
        settings = [*rest[:3], 1, *rest[4:]]  # one group instead of what stands fourth
        groups = int(k.pop("groups", rest[3] if len(rest) > 3 else 1))
        ones = x.new_full((1, 1, *weight.shape[2:]), share)
        made = func(x.mean(1, keepdim=True), ones, None, *settings[: len(rest)], **k)
        maps = weight.shape[1] * groups if back else weight.shape[0]
        return made.expand(-1, maps, -1, -1)


SAME = {
    *("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "tanh", "hardtanh"),
    *("hardswish", "hardsigmoid", "dropout", "local_response_norm", "batch_norm", "layer_norm"),
}


def max_pool(
    x: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Tensor:
    """The sum over each window that torch's max pool would look at, at the same places."""
    with torch.no_grad():
        given = (kernel_size, stride, padding, dilation, ceil_mode)
        out = nn.functional.max_pool2d(torch.empty(x.shape, device="meta"), *given).shape[2:]
    kernel, pad, apart = (_two(v) for v in (kernel_size, padding, dilation))
    step = _two(stride) if stride else kernel
    border: list[int] = []
    for axis in (1, 0):  # F.pad counts from the last axis
        reach = (kernel[axis] - 1) * apart[axis] + 1
        whole = (out[axis] - 1) * step[axis] + reach
        border += [pad[axis], whole - x.shape[2 + axis] - pad[axis]]
    maps = x.shape[1]
    ones = x.new_full((maps, 1, *kernel), 1 / (kernel[0] * kernel[1]))
    flat = F.pad(x, border)
    return torch.conv2d(flat, ones, None, step, 0, apart, maps)


def _two(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)  # type: ignore[return-value]
