"""Inception-v4 (Szegedy, Ioffe, Vanhoucke, Alemi 2016), arXiv:1602.07261, Figures 3 to 9.

    part            output      branch by branch, joined
    stem, Figure 3  32@149x149  3x3/2
                    32@147x147  3x3
                    64@147x147  3x3, padded
                    160@73x73   max pool 3x3/2 64; 3x3/2 96
                    192@71x71   1x1 64, 3x3 96; 1x1 64, 7x1 64, 1x7 64, 3x3 96
                    384@35x35   3x3/2 192; max pool 3x3/2 192
    4 x Figure 4    384@35x35   1x1 96; 1x1 64, 3x3 96; 1x1 64, 3x3 96, 3x3 96; average, 1x1 96
    Figure 7        1024@17x17  3x3/2 384; 1x1 192, 3x3 224, 3x3/2 256; max pool 3x3/2
    7 x Figure 5    1024@17x17  1x1 384; 1x1 192, 1x7 224, 7x1 256;
                                1x1 192, 1x7 192, 7x1 224, 1x7 224, 7x1 256; average, 1x1 128
    Figure 8        1536@8x8    1x1 192, 3x3/2 192; 1x1 256, 1x7 256, 7x1 320, 3x3/2 320;
                                max pool 3x3/2
    3 x Figure 6    1536@8x8    1x1 256; 1x1 384, then 1x3 256 beside 3x1 256;
                                1x1 384, 1x3 448, 3x1 512, then 3x1 256 beside 1x3 256;
                                average, 1x1 256
    average pool    1536@1x1    dropout 0.2, dense 1000

Batch norm and ReLU follow every convolution, as in the earlier Inception networks. There are no
residual connections: those are of the Inception-ResNets of the same paper.
Knobs in the paper: none. Figure 5 prints 1x7 twice in its third branch, where only 1x7 and 7x1 make
a 7x7 window.
The released model has some pairs the other way round: 1x7 before 7x1 in the stem, 7x1 and 3x1 first
in the deep branches of Figures 5 and 6. Parameters and cost are the same; it is profile `@timm`.
Silent, hence as in TensorFlow: eps 0.001, averages without the padding. First weights are torch's.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.layers.inception import Kernel, Side, average_branch, chain, convolution
from convatlas.models.family import Family, Paper, Variant

ROW_7, COLUMN_7, ROW_3, COLUMN_3 = (1, 7), (7, 1), (1, 3), (3, 1)  # height, width


@dataclass(frozen=True, slots=True, kw_only=True)
class InceptionV4Spec:
    """Figure 9, with the pairs of 1xn and nx1 in the order of the figures or of the release."""

    order: Literal["figures", "released"] = "figures"
    dropout: float = 0.2
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 299

    def __post_init__(self) -> None:
        if self.image_size < 75:  # leaves 3x3 for the last reduction
            raise UserError(
                f"inception_v4 cannot take pictures of {self.image_size}x{self.image_size}; "
                "it accepts 75x75 and larger"
            )

    def pair(self, first: Kernel, second: Kernel) -> tuple[Kernel, Kernel]:
        """Two kernels as the figures print them, or turned round as released."""
        return (first, second) if self.order == "figures" else (second, first)


def stem(spec: InceptionV4Spec) -> nn.Sequential:
    """Figure 3."""
    tall, wide = spec.pair(COLUMN_7, ROW_7)
    return nn.Sequential(
        convolution(spec.in_channels, 32, 3, 2, padded=False),
        convolution(32, 32, 3, padded=False),
        convolution(32, 64, 3),
        Side(nn.MaxPool2d(3, 2), convolution(64, 96, 3, 2, padded=False)),
        Side(
            chain(160, (1, 64), (3, 96), end="unpadded"),
            chain(160, (1, 64), (tall, 64), (wide, 64), (3, 96), end="unpadded"),
        ),
        Side(convolution(192, 192, 3, 2, padded=False), nn.MaxPool2d(3, 2)),
    )


def inception_a() -> Side:
    """Figure 4, at 35x35."""
    return Side(
        convolution(384, 96, 1),
        chain(384, (1, 64), (3, 96)),
        chain(384, (1, 64), (3, 96), (3, 96)),
        average_branch(384, 96),
    )


def reduction_a() -> Side:
    """Figure 7 with k, l, m, n = 192, 224, 256, 384 (Table 1), 35x35 to 17x17."""
    return Side(
        chain(384, (3, 384), end="halving"),
        chain(384, (1, 192), (3, 224), (3, 256), end="halving"),
        nn.MaxPool2d(3, 2),
    )


def inception_b(spec: InceptionV4Spec) -> Side:
    """Figure 5, at 17x17."""
    first, second = spec.pair(ROW_7, COLUMN_7)
    deep = ((first, 192), (second, 224), (first, 224), (second, 256))
    return Side(
        convolution(1024, 384, 1),
        chain(1024, (1, 192), (ROW_7, 224), (COLUMN_7, 256)),
        chain(1024, (1, 192), *deep),
        average_branch(1024, 128),
    )


def reduction_b() -> Side:
    """Figure 8, 17x17 to 8x8."""
    return Side(
        chain(1024, (1, 192), (3, 192), end="halving"),
        chain(1024, (1, 256), (ROW_7, 256), (COLUMN_7, 320), (3, 320), end="halving"),
        nn.MaxPool2d(3, 2),
    )


def inception_c(spec: InceptionV4Spec) -> Side:
    """Figure 6, at 8x8."""
    first, second = spec.pair(ROW_3, COLUMN_3)

    def fan(c_in: int) -> Side:
        return Side(convolution(c_in, 256, ROW_3), convolution(c_in, 256, COLUMN_3))

    return Side(
        convolution(1536, 256, 1),
        nn.Sequential(convolution(1536, 384, 1), fan(384)),
        nn.Sequential(*chain(1536, (1, 384), (first, 448), (second, 512)), fan(512)),
        average_branch(1536, 256),
    )


class InceptionV4(nn.Module):
    """Figure 9: stem, modules at 35x35, 17x17 and 8x8 with a reduction before each, head."""

    def __init__(self, spec: InceptionV4Spec) -> None:
        super().__init__()
        self.stem = stem(spec)
        self.stage_a = nn.Sequential(*(inception_a() for _ in range(4)))
        self.reduction_a = reduction_a()
        self.stage_b = nn.Sequential(*(inception_b(spec) for _ in range(7)))
        self.reduction_b = reduction_b()
        self.stage_c = nn.Sequential(*(inception_c(spec) for _ in range(3)))
        self.head = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(spec.dropout)),
            nn.Linear(1536, spec.num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        x = self.reduction_a(self.stage_a(self.stem(x)))
        x = self.reduction_b(self.stage_b(x))
        return self.head(self.stage_c(x))


PAPER = Paper(
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    title="Inception-v4, Inception-ResNet and the impact of residual connections on learning",
    year=2016,
    where="arXiv:1602.07261; AAAI 2017",
)

FAMILY: Family[InceptionV4Spec] = Family(
    name="inception_v4",
    build=InceptionV4,
    variants={
        "inception_v4": Variant(
            spec=InceptionV4Spec(),
            paper=PAPER,
            summary="Figures 3 to 9: 4, 7 and 3 modules without residual connections",
            departures=("7x1 after 1x7 in the third branch of Figure 5, which prints 1x7 twice",),
        ),
        "inception_v4@timm": Variant(
            spec=InceptionV4Spec(order="released", dropout=0.0),
            paper=PAPER,
            summary="the released model as timm has it",
            departures=(
                "1x7 before 7x1 in the stem; Figure 3 has 7x1 first",
                "7x1 and 3x1 first in the deep branches of Figures 5 and 6, not 1x7 and 1x3",
                "no dropout",
            ),
        ),
    },
)
