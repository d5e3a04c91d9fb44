"""A network in evaluation mode computed without its modules, from its weights in their order."""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor, nn


class Weights:
    """The weights of a network, taken one after the other."""

    def __init__(self, model: nn.Module) -> None:
        state = model.state_dict().items()
        self.left: Iterator[Tensor] = (
            value for key, value in state if not key.endswith("num_batches_tracked")
        )

    def conv(self, x: Tensor, stride: int = 1) -> Tensor:
        """The next convolution, without bias, of padding that keeps the size."""
        weight = next(self.left)
        return F.conv2d(x, weight, stride=stride, padding=weight.shape[-1] // 2)

    def norm(self, x: Tensor) -> Tensor:
        """The next batch norm, from its definition."""
        gain, shift, mean, variance = (next(self.left)[:, None, None] for _ in range(4))
        return (x - mean) / (variance + 1e-5).sqrt() * gain + shift

    def dense(self, x: Tensor) -> Tensor:
        """The mean of every map, then the next dense layer."""
        weight, bias = next(self.left), next(self.left)
        return x.mean((2, 3)) @ weight.T + bias
