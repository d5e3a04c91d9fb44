"""Network in Network (Lin, Chen, Yan 2014), arXiv:1312.4400, Figure 2 and section 4.1.

    network   layer     convolution    1x1 maps     after it            size
    CIFAR     mlpconv1  5x5-192        160, 96      max pool, dropout   96@32x32
              mlpconv2  5x5-192        192, 192     max pool, dropout   192@16x16
              mlpconv3  3x3-192        192, 10      global average      10@8x8
    ImageNet  mlpconv1  11x11-96, /4   96, 96       max pool            96@54x54
              mlpconv2  5x5-256        256, 256     max pool            256@27x27
              mlpconv3  3x3-384        384, 384     max pool, dropout   384@13x13
              mlpconv4  3x3-1024       1024, 1000   global average      1000@6x6

An mlpconv layer is a convolution and two of 1x1, ReLU after each, the last included (equation 2):
a small perceptron slid over the map. Pools are 3x3 at stride 2. The mean of the last layer's maps
is the score of each class; there are no dense layers.

Knobs in the paper: none. It prints no widths, kernels or weights at the start ("manually set"): all
of these are from the author's Caffe models, as is the whole network for ImageNet. Caffe's pools
round up. Of the deviations of the first weights for CIFAR only 0.05 is known, and used throughout.
"""

import math
from dataclasses import dataclass
from itertools import count
from typing import Literal

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class MLPConv:
    """One row of the table."""

    kernel: int
    maps: tuple[int, ...]  # of the convolution and of the two 1x1; the last has one for each class
    stride: int = 1
    padding: int
    pool: Literal["max", "average", "none"] = "max"
    dropped: bool = True
    deviations: tuple[float, float, float] = (0.05, 0.05, 0.05)  # of the first weights


@dataclass(frozen=True, slots=True, kw_only=True)
class NINSpec:
    """Stacked mlpconv layers; ``dropout`` follows those that say so."""

    layers: tuple[MLPConv, ...]
    num_classes: int
    image_size: int
    in_channels: int = 3
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.final_size(self.image_size) < 1:
            smallest = next(n for n in count(self.image_size) if self.final_size(n) >= 1)
            raise UserError(
                f"NIN's pools leave nothing of a {self.image_size}x{self.image_size} picture; "
                f"this form accepts {smallest}x{smallest} and larger"
            )

    def final_size(self, size: int) -> int:
        """Height and width of the last maps for a picture of ``size``."""
        for layer in self.layers:
            size = (size + 2 * layer.padding - layer.kernel) // layer.stride + 1
            if layer.pool != "none":
                size = math.ceil((size - 3) / 2) + 1
        return size


def mlpconv(c_in: int, layer: MLPConv, maps: tuple[int, ...]) -> list[nn.Module]:
    """Equation 2: a convolution, then twice 1x1, each with ReLU; weights normal, biases zero."""
    parts: list[nn.Module] = []
    for position, c_out in enumerate(maps):
        if position == 0:
            conv = nn.Conv2d(c_in, c_out, layer.kernel, layer.stride, layer.padding)
        else:
            conv = nn.Conv2d(c_in, c_out, 1)
        nn.init.normal_(conv.weight, std=layer.deviations[position])
        nn.init.zeros_(conv.get_parameter("bias"))
        parts += [conv, nn.ReLU()]
        c_in = c_out
    return parts


class NIN(nn.Module):
    """The mlpconv layers, then the mean of every class's map."""

    def __init__(self, spec: NINSpec) -> None:
        super().__init__()
        self.mlpconvs = nn.Sequential()
        c_in = spec.in_channels
        for number, layer in enumerate(spec.layers, start=1):
            last = number == len(spec.layers)
            maps = (*layer.maps, spec.num_classes) if last else layer.maps
            parts = mlpconv(c_in, layer, maps)
            if layer.pool != "none":
                pool = nn.MaxPool2d if layer.pool == "max" else nn.AvgPool2d
                parts += [pool(3, 2, ceil_mode=True)]
            parts += [nn.Dropout(spec.dropout)] if layer.dropped else []
            self.mlpconvs.add_module(f"mlpconv{number}", nn.Sequential(*parts))
            c_in = maps[-1]
        self.mean, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        return self.flatten(self.mean(self.mlpconvs(x)))


def cifar(second_pool: Literal["max", "average"]) -> NINSpec:
    """The network for 32x32 pictures."""
    return NINSpec(
        layers=(
            MLPConv(kernel=5, padding=2, maps=(192, 160, 96)),
            MLPConv(kernel=5, padding=2, maps=(192, 192, 192), pool=second_pool),
            MLPConv(kernel=3, padding=1, maps=(192, 192), pool="none", dropped=False),
        ),
        num_classes=10,
        image_size=32,
    )


IMAGENET = NINSpec(
    layers=(
        MLPConv(
            kernel=11,
            stride=4,
            padding=0,
            maps=(96, 96, 96),
            dropped=False,
            deviations=(0.01, 0.05, 0.05),
        ),
        MLPConv(kernel=5, padding=2, maps=(256, 256, 256), dropped=False),
        MLPConv(kernel=3, padding=1, maps=(384, 384, 384), deviations=(0.01, 0.05, 0.05)),
        MLPConv(
            kernel=3,
            padding=1,
            maps=(1024, 1024),
            pool="none",
            dropped=False,
            deviations=(0.05, 0.05, 0.01),
        ),
    ),
    num_classes=1000,
    image_size=224,
)

PAPER = Paper(
    authors="Lin, Chen, Yan", title="Network in network", year=2014, where="arXiv:1312.4400, ICLR"
)
WIDTHS = "widths, kernels and first weights from the author's Caffe model; the paper prints none"

FAMILY = Family(
    name="nin",
    build=NIN,
    variants={
        "nin-cifar": Variant(
            spec=cifar("max"),
            paper=PAPER,
            summary="three mlpconv layers and a global average, for 32x32",
            departures=(WIDTHS,),
        ),
        "nin-cifar@caffe": Variant(
            spec=cifar("average"),
            paper=PAPER,
            summary="as the author's Caffe model has it",
            departures=("the second pool takes the average, in the paper the maximum",),
        ),
        "nin-imagenet": Variant(
            spec=IMAGENET,
            paper=PAPER,
            summary="four mlpconv layers and a global average, the author's Caffe model",
            departures=(
                "not in the paper: the author's Caffe model",
                "dropout after the third layer only, in the paper after all but the last",
            ),
        ),
    },
)
