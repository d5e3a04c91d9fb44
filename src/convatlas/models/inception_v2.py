"""BN-Inception, also called Inception-v2 (Ioffe & Szegedy 2015), arXiv:1502.03167, Figure 5.

    layer              output      1x1  3x3 reduce  3x3  double reduce  double 3x3  pool, 1x1
    conv 7x7/2         64@112x112  separable: 8 kernels on each channel, then 1x1
    max pool 3x3/2     64@56x56
    conv 3x3           192@56x56              64    192
    max pool 3x3/2     192@28x28
    3a                 256@28x28    64        64     64        64          96       average, 32
    3b                 320@28x28    64        64     96        64          96       average, 64
    3c, stride 2       576@14x14     -       128    160        64          96       max, as it is
    4a                 576@14x14   224        64     96        96         128       average, 128
    4b                 576@14x14   192        96    128        96         128       average, 128
    4c                 608@14x14   160       128    160       128         160       average, 128
    4d                 608@14x14    96       128    192       160         192       average, 128
    4e, stride 2       1056@7x7      -       128    192       192         256       max, as it is
    5a                 1024@7x7    352       192    320       160         224       average, 128
    5b                 1024@7x7    352       192    320       192         224       max, 128
    average pool 7x7   1024@1x1    dense 1000

Batch norm and ReLU follow every convolution; there is no dropout and no response norm (section
4.2.1), and no auxiliary head is described.

The figure contradicts itself. The branches of 4c and 4d add up to 608 maps and the figure prints
576, so that 4e has 1056 where 1024 is printed. The widths of the branches are built here, as in
Caffe's replications; `projection_4cd=96` gives the printed outputs, as TensorFlow's release does.
The rows of stride 2 print the size of their input. The text's 13.6 million parameters cannot be
reached from the figure: it has 11.3 (or 11.2) million.
Where the paper is silent: batch norm's eps is TensorFlow's 0.001, averages leave the padding out
as in TensorFlow, everything that halves pads by one on both sides, first weights are torch's.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.layers.inception import Side, average_branch, chain, convolution
from convatlas.models.family import Family, Paper, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class InceptionV2Spec:
    """Figure 5, with the choice that its contradiction leaves."""

    projection_4cd: Literal[96, 128] = 128  # 1x1 after the pool in 4c and 4d
    dropout: float = 0.0  # section 4.2.1 takes it out; an ensemble had 0.05 and 0.1 (4.2.3)
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise UserError(
                f"inception_v2 cannot take pictures of {self.image_size}x{self.image_size}; "
                "it accepts 1x1 and larger"
            )


def separable(c_in: int) -> nn.Sequential:
    """The first layer: eight 7x7/2 kernels on each channel, 1x1 to 64 maps, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(c_in, 8 * c_in, 7, 2, padding=3, groups=c_in, bias=False),
        nn.Conv2d(8 * c_in, 64, 1, bias=False),
        nn.BatchNorm2d(64, eps=0.001),
        nn.ReLU(),
    )


def halve() -> nn.MaxPool2d:
    """Max pool 3x3/2, aligned with a padded 3x3/2 convolution at every size."""
    return nn.MaxPool2d(3, stride=2, padding=1)


def row(
    c_in: int, widths: tuple[int, int, int, int, int, int], pool: Literal["average", "max"]
) -> Side:
    """A row of stride 1: 1x1; 1x1, 3x3; 1x1, 3x3, 3x3; pool, 1x1."""
    one, reduce, three, reduce_double, double, projection = widths
    largest = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), convolution(c_in, projection, 1))
    return Side(
        convolution(c_in, one, 1),
        chain(c_in, (1, reduce), (3, three)),
        chain(c_in, (1, reduce_double), (3, double), (3, double)),
        average_branch(c_in, projection) if pool == "average" else largest,
    )


def halving_row(c_in: int, widths: tuple[int, int, int, int]) -> Side:
    """A row of stride 2: no 1x1 branch, and the pool passes its maps on as they are."""
    reduce, three, reduce_double, double = widths
    return Side(
        nn.Sequential(convolution(c_in, reduce, 1), convolution(reduce, three, 3, 2)),
        nn.Sequential(
            *chain(c_in, (1, reduce_double), (3, double)), convolution(double, double, 3, 2)
        ),
        halve(),
    )


class InceptionV2(nn.Module):
    """Figure 5 from top to bottom."""

    def __init__(self, spec: InceptionV2Spec) -> None:
        super().__init__()
        last = spec.projection_4cd
        inner = 480 + last  # maps after 4c and 4d: 608, or 576 as printed
        self.stem = nn.Sequential(
            *(separable(spec.in_channels), halve()),
            *(convolution(64, 64, 1), convolution(64, 192, 3), halve()),
        )
        self.inception3a = row(192, (64, 64, 64, 64, 96, 32), "average")
        self.inception3b = row(256, (64, 64, 96, 64, 96, 64), "average")
        self.inception3c = halving_row(320, (128, 160, 64, 96))
        self.inception4a = row(576, (224, 64, 96, 96, 128, 128), "average")
        self.inception4b = row(576, (192, 96, 128, 96, 128, 128), "average")
        self.inception4c = row(576, (160, 128, 160, 128, 160, last), "average")
        self.inception4d = row(inner, (96, 128, 192, 160, 192, last), "average")
        self.inception4e = halving_row(inner, (128, 192, 192, 256))
        self.inception5a = row(448 + inner, (352, 192, 320, 160, 224, 128), "average")
        self.inception5b = row(1024, (352, 192, 320, 192, 224, 128), "max")
        self.head = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(spec.dropout)),
            nn.Linear(1024, spec.num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        x = self.inception3c(self.inception3b(self.inception3a(self.stem(x))))
        x = self.inception4c(self.inception4b(self.inception4a(x)))
        x = self.inception4e(self.inception4d(x))
        return self.head(self.inception5b(self.inception5a(x)))


FAMILY: Family[InceptionV2Spec] = Family(
    name="inception_v2",
    build=InceptionV2,
    variants={
        "inception_v2": Variant(
            spec=InceptionV2Spec(),
            paper=Paper(
                authors="Ioffe, Szegedy",
                title="Batch normalization: accelerating deep network training by reducing "
                "internal covariate shift",
                year=2015,
                where="arXiv:1502.03167; ICML 2015",
            ),
            summary="BN-Inception: batch norm, 5x5 as two 3x3, a separable first layer",
            departures=(
                "4c and 4d give 608 maps and 4e 1056, as their branches add up; "
                "the figure prints 576 and 1024",
            ),
        ),
    },
)
