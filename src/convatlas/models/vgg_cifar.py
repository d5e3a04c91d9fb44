"""VGG for CIFAR (Zagoruyko 2015), torch.ch blog, "92.45% on CIFAR-10 in Torch".

    row     what                                     size       weights
    input   the picture                              3@32x32
    1       3x3-64, 3x3-64                           64@16x16       38,592
    2       3x3-128, 3x3-128                         128@8x8       221,184
    3       3x3-256, 3x3-256, 3x3-256                256@4x4     1,474,560
    4       3x3-512, 3x3-512, 3x3-512                512@2x2     5,898,240
    5       3x3-512, 3x3-512, 3x3-512                512@1x1     7,077,888
    dense   512, 10                                                267,264
                                                     total      14,977,728 and biases, norms

The convolutions of VGG-16 with two dense layers instead of three. Batch norm and ReLU after every
convolution and after the first dense layer, maximum of 2x2 (rounding up) after every row. Dropout
between the convolutions of a row, 0.3 in the first and 0.4 in the others, and 0.5 before either
dense layer.

Knobs: none. Another rate of dropout scales all three in proportion.
"""

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

MAPS, DEPTHS, HIDDEN = (64, 128, 256, 512, 512), (2, 2, 3, 3, 3), 512
SHARES = (0.6, 0.8, 0.8, 0.8, 0.8)  # a row's dropout as share of the dense layers' 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class VGGCifarSpec:
    """VGG-16's convolutions on small pictures."""

    num_classes: int = 10
    in_channels: int = 3
    image_size: int = 32
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise UserError(
                f"a picture cannot be {self.image_size}x{self.image_size}; "
                "vgg15-cifar accepts 1x1 and larger, 32x32 as published"
            )


def row(spec: VGGCifarSpec, number: int) -> nn.Sequential:
    """Convolution, batch norm, ReLU, with dropout in between; then the pool."""
    c_in, c_out = (spec.in_channels, *MAPS)[number : number + 2]
    parts: list[nn.Module] = []
    for position in range(DEPTHS[number]):
        parts += [nn.Dropout(SHARES[number] * spec.dropout)] if position else []
        parts += [nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU()]
        c_in = c_out
    return nn.Sequential(*parts, nn.MaxPool2d(2, ceil_mode=True))


def dense(spec: VGGCifarSpec) -> nn.Sequential:
    """Both dense layers; five halvings that round up leave ceil(size / 32)."""
    size = -(-spec.image_size // 32)
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            [
                *(("flatten", nn.Flatten()), ("drop1", nn.Dropout(spec.dropout))),
                ("fc1", nn.Linear(MAPS[-1] * size**2, HIDDEN)),
                *(("norm1", nn.BatchNorm1d(HIDDEN)), ("relu1", nn.ReLU())),
                ("drop2", nn.Dropout(spec.dropout)),
                ("fc2", nn.Linear(HIDDEN, spec.num_classes)),
            ]
        )
    )


class VGGCifar(nn.Module):
    """Five rows, then the dense layers."""

    def __init__(self, spec: VGGCifarSpec) -> None:
        super().__init__()
        rows = ((f"row{number + 1}", row(spec, number)) for number in range(len(MAPS)))
        self.convolutional = nn.Sequential(OrderedDict[str, nn.Module](rows))
        self.dense = dense(spec)
        for layer in self.modules():  # the dense layers keep torch's own rule
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        return self.dense(self.convolutional(x))


PAPER = Paper(
    authors="Zagoruyko",
    title="92.45% on CIFAR-10 in Torch",
    year=2015,
    where="torch.ch blog; szagoruyko/cifar.torch, models/vgg_bn_drop.lua",
)

FAMILY = Family(
    name="vgg_cifar",
    build=VGGCifar,
    variants={
        "vgg15-cifar": Variant(
            spec=VGGCifarSpec(),
            paper=PAPER,
            summary="VGG-16's convolutions with batch norm and two dense layers, for 32x32",
            departures=("batch norm adds torch's usual 1e-5 to variances, there 1e-3",),
        ),
    },
)
