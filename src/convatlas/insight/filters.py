"""The kernels of a network's first layer, the only ones that read pixels."""

from torch import Tensor, nn


def first_filters(model: nn.Module) -> Tensor | None:
    """A copy of the first convolution's kernels, (N, C, k, k); ``None`` if it has no convolution.

    First means first in the order of the model's definition.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            return layer.weight.detach().clone()
    return None
