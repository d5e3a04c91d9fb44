"""Efficient channel attention (Wang, Wu, Zhu, Li, Zuo, Hu 2019), arXiv:1910.03151."""

import math

from torch import Tensor, nn

from convatlas.errors import UserError


def adaptive_kernel(channels: int, *, gamma: int = 2, b: int = 1) -> int:
    """Equation 12: the odd number nearest to log2(channels) / gamma + b / gamma.

    Taken as in the code of the paper's Figure 3, which rounds down and then up to an odd number:
    3 for 64 maps, 5 for 128 to 1024, 7 for 2048 (whose 6 lies between 5 and 7).
    """
    whole = int(abs((math.log2(channels) + b) / gamma))
    return whole if whole % 2 else whole + 1


class ECA(nn.Module):
    """Equation 9: x times sigmoid(conv(mean(x))), the convolution running along the maps.

    ``kernel`` is how many neighbouring maps one factor depends on; ``None`` follows equation 12.
    """

    def __init__(self, channels: int, *, kernel: int | None = None) -> None:
        super().__init__()
        size = adaptive_kernel(channels) if kernel is None else kernel
        if size % 2 == 0 or size < 1:
            raise UserError(f"a kernel of {size} has no middle; choose an odd one")
        self.mean = nn.AdaptiveAvgPool2d(1)
        self.conv = nn.Conv1d(1, 1, size, padding=size // 2, bias=False)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape."""
        along = self.mean(x).flatten(1).unsqueeze(1)  # (N, 1, channels)
        return x * self.gate(self.conv(along)).flatten(1)[:, :, None, None]
