"""Residual blocks (He et al. 2015, arXiv:1512.03385, sections 3.2 and 3.3), shared by families."""

from collections import OrderedDict
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

StrideOn = Literal["1x1", "3x3"]


class Residual(nn.Module):
    """Equation 2: y = relu(F(x) + shortcut(x))."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H/stride, W/stride), rounded up."""
        return self.relu(self.branch(x) + self.shortcut(x))


def basic(c_in: int, c_out: int, stride: int) -> nn.Sequential:
    """Figure 5, left: 3x3, 3x3, each with batch norm, ReLU between; the first takes the stride."""
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
            norm1=nn.BatchNorm2d(c_out),
            relu1=nn.ReLU(),
            conv2=nn.Conv2d(c_out, c_out, 3, padding=1, bias=False),
            norm2=nn.BatchNorm2d(c_out),
        )
    )


def bottleneck(
    c_in: int,
    c_out: int,
    stride: int,
    *,
    width: int | tuple[int, int],
    groups: int = 1,
    stride_on: StrideOn = "1x1",
) -> nn.Sequential:
    """Figure 5, right: 1x1 down to ``width``, 3x3, 1x1 up, each with batch norm, ReLU between.

    ``stride_on`` says whether the first or the middle convolution takes the stride. Two widths are
    those of the first and of the middle convolution.
    """
    first, middle = (width, width) if isinstance(width, int) else width
    early, late = (stride, 1) if stride_on == "1x1" else (1, stride)
    conv2 = nn.Conv2d(first, middle, 3, stride=late, padding=1, groups=groups, bias=False)
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(c_in, first, 1, stride=early, bias=False),
            norm1=nn.BatchNorm2d(first),
            relu1=nn.ReLU(),
            conv2=conv2,
            norm2=nn.BatchNorm2d(middle),
            relu2=nn.ReLU(),
            conv3=nn.Conv2d(middle, c_out, 1, bias=False),
            norm3=nn.BatchNorm2d(c_out),
        )
    )


def projection(c_in: int, c_out: int, stride: int, *, kernel: int = 1) -> nn.Sequential:
    """A convolution 1x1 with batch norm as the shortcut."""
    conv = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(OrderedDict(conv=conv, norm=nn.BatchNorm2d(c_out)))


def projection_where_needed(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Option B: the identity, or a projection where the shape changes."""
    same = c_in == c_out and stride == 1
    return nn.Identity() if same else projection(c_in, c_out, stride)


class ZeroPadded(nn.Module):
    """Option A: every ``stride``-th pixel, and maps of zeros after the last: no parameters."""

    def __init__(self, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.added = c_out - c_in

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H/stride, W/stride), rounded up."""
        taken = x[:, :, :: self.stride, :: self.stride]
        return F.pad(taken, (0, 0, 0, 0, 0, self.added))

    def extra_repr(self) -> str:
        """What the constructor was given."""
        return f"added={self.added}, stride={self.stride}"


def padded_where_needed(c_in: int, c_out: int, stride: int) -> nn.Module:
    """Option A: the identity, or zero maps where the shape changes."""
    same = c_in == c_out and stride == 1
    return nn.Identity() if same else ZeroPadded(c_in, c_out, stride)
