"""Networks to export and run: with batch norm that does something, and pictures of real kind."""

import torch
from torch import nn

from convatlas import models
from convatlas.data.preprocess import fit
from convatlas.models.family import Task
from convatlas.runtime.bundle import Preparation, figures
from convatlas.runtime.network import Network


def network(name: str, size: int | None = None, *, prepared: bool = False) -> Network:
    """A built-in network with drawn weights and statistics; on request with a preparation."""
    torch.manual_seed(0)
    blueprint = models.blueprint(name, Task(image_size=size))
    module = blueprint.build().eval()
    draw_statistics(module)
    side, channels = blueprint.spec.image_size, blueprint.spec.in_channels
    return Network(
        name=name,
        module=module,
        shape=(channels, side, side),
        preparation=preparation(channels, side) if prepared else None,
    )


def draw_statistics(module: nn.Module) -> None:
    """Means, variances, scales and offsets of every batch norm away from 0 and 1."""
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            nn.init.uniform_(layer.running_mean, -0.3, 0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            if layer.affine:
                nn.init.uniform_(layer.weight, 0.5, 1.5)
                nn.init.uniform_(layer.bias, -0.3, 0.3)


def preparation(channels: int, side: int) -> Preparation:
    """Fitted on random pixels; a frame of two pixels, and a crop before it."""
    pictures = torch.randint(0, 256, (20, channels, side, side), dtype=torch.uint8)
    fitted = fit("channel-standard", pictures, 2)
    return Preparation(
        side=side + 3,
        crop=side - 4,
        pad=2,
        mean=figures(fitted.mean.numpy()),
        deviation=figures(fitted.deviation.numpy()),
    )
