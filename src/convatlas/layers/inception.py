"""What the Inception networks from BN-Inception on are made of."""

from typing import Literal

import torch
from torch import Tensor, nn

Kernel = int | tuple[int, int]  # a tuple is (height, width): 1x7 is (1, 7)
Step = tuple[Kernel, int]  # a convolution: kernel and number of maps


class Side(nn.Module):
    """Branches side by side on the same input, their maps joined: an Inception module."""

    def __init__(self, *branches: nn.Module) -> None:
        super().__init__()
        self.branches = nn.ModuleList(branches)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, sum of the branches, H', W')."""
        return torch.cat([branch(x) for branch in self.branches], 1)


def convolution(
    c_in: int, c_out: int, kernel: Kernel, stride: int = 1, *, padded: bool = True
) -> nn.Sequential:
    """Convolution without bias, batch norm with TensorFlow's eps 0.001, ReLU.

    Padded it keeps the size (or halves it, rounding up); otherwise it reads whole windows only.
    """
    height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
    padding = (height // 2, width // 2) if padded else 0
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, (height, width), stride, padding, bias=False),
        nn.BatchNorm2d(c_out, eps=0.001),
        nn.ReLU(),
    )


def chain(
    c_in: int, *steps: Step, end: Literal["padded", "unpadded", "halving"] = "padded"
) -> nn.Sequential:
    """Padded convolutions one after the other; the last one may be unpadded, or of stride 2."""
    widths = (c_in, *(width for _, width in steps))
    last = len(steps) - 1
    return nn.Sequential(
        *(
            convolution(
                widths[number],
                width,
                kernel,
                stride=2 if number == last and end == "halving" else 1,
                padded=number < last or end == "padded",
            )
            for number, (kernel, width) in enumerate(steps)
        )
    )


def average_branch(c_in: int, width: int, *, count_padding: bool = False) -> nn.Sequential:
    """Average over 3x3, then a 1x1 convolution; at the border real pixels only, as TensorFlow."""
    pool = nn.AvgPool2d(3, 1, padding=1, count_include_pad=count_padding)
    return nn.Sequential(pool, convolution(c_in, width, 1))
