"""Convolutional block attention module (Woo, Park, Lee, Kweon 2018), arXiv:1807.06521."""

import torch
from torch import Tensor, nn

from convatlas.errors import UserError


class ChannelAttention(nn.Module):
    """Equation 2: x times sigmoid(MLP(mean(x)) + MLP(max(x))), one factor for each map.

    The two dense layers of the MLP are 1x1 convolutions of the 1x1 maps, which is the same. They
    are shared (section 3); the ReLU between them is not, so that each way can be looked into.
    """

    def __init__(self, channels: int, *, reduction: int = 16, bias: bool = True) -> None:
        super().__init__()
        if not 1 <= reduction <= channels:
            raise UserError(
                f"a reduction of {reduction} leaves nothing of {channels} maps; "
                f"choose 1 to {channels}"
            )
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.mlp = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1, bias=bias),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1, bias=bias),
        )
        self.relu_of_max = nn.ReLU()
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape."""
        reduce, _, restore = self.mlp
        largest = x.amax((2, 3), keepdim=True)  # nn.AdaptiveMaxPool2d has no repeatable gradient
        by_max = restore(self.relu_of_max(reduce(largest)))
        return x * self.gate(self.mlp(self.mean(x)) + by_max)


class SpatialAttention(nn.Module):
    """Equation 3: x times sigmoid(conv(mean and max over the maps)), one factor for each pixel.

    The convolution has a batch norm behind it: not in equation 3 but in the authors' code, and
    counted in the parameters of their Table 4.
    """

    def __init__(self, *, kernel: int = 7) -> None:
        super().__init__()
        if kernel % 2 == 0:
            raise UserError(f"a kernel of {kernel} has no middle; choose an odd one")
        self.conv = nn.Conv2d(2, 1, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(1)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same shape."""
        both = torch.cat((x.mean(1, keepdim=True), x.amax(1, keepdim=True)), dim=1)
        return x * self.gate(self.norm(self.conv(both)))


class CBAM(nn.Sequential):
    """Equation 1: channel attention, then spatial attention (section 3, the better order).

    ``bias`` gives the dense layers biases, as the authors' code has.
    """

    def __init__(
        self, channels: int, *, reduction: int = 16, kernel: int = 7, bias: bool = True
    ) -> None:
        super().__init__()
        self.channel = ChannelAttention(channels, reduction=reduction, bias=bias)
        self.spatial = SpatialAttention(kernel=kernel)
