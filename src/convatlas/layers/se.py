"""Squeeze and excitation (Hu, Shen, Albanie, Sun, Wu 2017), arXiv:1709.01507, section 3."""

from torch import Tensor, nn

from convatlas.errors import UserError


class SE(nn.Module):
    """Equations 2 to 4: x times sigmoid(W2 relu(W1 mean(x))), one factor for each map.

    The two dense layers are 1x1 convolutions of the 1x1 map of means, which is the same.
    ``bias`` gives them biases, as the published networks have and equation 3 has not.
    """

    def __init__(self, channels: int, *, reduction: int = 16, bias: bool = True) -> None:
        super().__init__()
        if not 1 <= reduction <= channels:
            raise UserError(
                f"a reduction of {reduction} leaves nothing of {channels} maps; "
                f"choose 1 to {channels}"
            )
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, channels // reduction, 1, bias=bias)
        self.relu = nn.ReLU()
        self.expand = nn.Conv2d(channels // reduction, channels, 1, bias=bias)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to the same shape."""
        return x * self.gate(self.expand(self.relu(self.reduce(self.squeeze(x)))))
