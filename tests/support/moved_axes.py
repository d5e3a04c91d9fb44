"""A convolution, then what moves, joins or loses the axes of the picture."""

import torch
from torch import Tensor, nn


class Through(nn.Module):
    """A 3x3 convolution, then whatever the name says."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what, self.conv = what, nn.Conv2d(2, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        made: Tensor = getattr(self, self.what)(self.conv(x))
        return made

    def windows(self, x: Tensor) -> Tensor:
        n, c, h, w = x.shape
        return x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).flatten(3)

    def tokens(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)

    def last(self, x: Tensor) -> Tensor:
        return x.permute(0, 2, 3, 1)

    def row(self, x: Tensor) -> Tensor:
        return x[:, :, 3]

    def rolled(self, x: Tensor) -> Tensor:
        return x.roll(1, 2)

    def stacked(self, x: Tensor) -> Tensor:
        return torch.cat([x, x], 2)

    def product(self, x: Tensor) -> Tensor:
        return x @ x.transpose(2, 3)

    def turned(self, x: Tensor) -> Tensor:
        return x + x.transpose(2, 3)

    def einsum(self, x: Tensor) -> Tensor:
        return torch.einsum("nchw,ncwk->nhk", x, x)

    def softmax(self, x: Tensor) -> Tensor:
        return x.softmax(3)

    def stretched(self, x: Tensor) -> Tensor:
        return x[:, :, :1].expand(-1, -1, 5, -1)

    def column_mean(self, x: Tensor) -> Tensor:
        return x.mean(2)

    def squeezed(self, x: Tensor) -> Tensor:
        return x[:, :1].squeeze(1).unsqueeze(-1)

    def nothing(self, x: Tensor) -> Tensor:
        return torch.zeros(x.shape)


MOVES = (
    *("windows", "tokens", "last", "row", "rolled", "stacked", "product", "turned", "einsum"),
    *("softmax", "stretched", "column_mean", "squeezed"),
)
