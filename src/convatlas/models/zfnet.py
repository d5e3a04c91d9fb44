"""ZFNet (Zeiler, Fergus 2013), arXiv:1311.2901, Figure 3.

    layer    what                                                size       parameters
    input    the picture                                         3@224x224
    layer 1  convolution 7x7, stride 2                           96@110x110     14,208
             maximum of 3x3, stride 2, then normalisation        96@55x55
    layer 2  convolution 5x5, stride 2                           256@26x26     614,656
             maximum of 3x3, stride 2, then normalisation        256@13x13
    layer 3  convolution 3x3                                     384@13x13     885,120
    layer 4  convolution 3x3                                     384@13x13   1,327,488
    layer 5  convolution 3x3                                     256@13x13     884,992
             maximum of 3x3, stride 2                            256@6x6
    layer 6  dense, dropout 0.5                                  4096       37,752,832
    layer 7  dense, dropout 0.5                                  4096       16,781,312
    output   dense                                               1000        4,097,000
                                                                 total      62,357,608

ReLU after every layer but the last. Every layer reads the whole one before it (section 3).
Knobs in the paper: the widths of layers 3 to 5, 512-1024-512 in network (b) of Table 2.

What the paper leaves open: the padding (one zero around the picture and before the first two pools
gives the printed sizes); the constants of the normalisation across maps (those of Krizhevsky et
al. 2012, whose network this one changes); "weights are initialized to 10^-2" (section 3.1), which
is read as N(0, 0.01), for equal weights would stay equal. Biases start at zero, as printed.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

HIDDEN = 4096  # Figure 3, layers 6 and 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ZFNetSpec:
    """The network of Figure 3, or one with other widths in layers 3 to 5."""

    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224
    dropout: float = 0.5
    late: tuple[int, int, int] = (384, 384, 256)

    def __post_init__(self) -> None:
        if self.final_size < 1:
            raise UserError(
                f"ZFNet's pools leave nothing of a {self.image_size}x{self.image_size} picture; "
                "it accepts 53x53 and larger"
            )

    @property
    def final_size(self) -> int:
        """Height and width after the pool of layer 5."""
        size = (self.image_size - 5) // 2 + 1
        size = (size - 1) // 2 + 1
        size = (size - 5) // 2 + 1
        size = (size - 1) // 2 + 1
        return (size - 3) // 2 + 1


def normalisation() -> nn.LocalResponseNorm:
    """Krizhevsky et al. (2012): k = 2, n = 5, α = 1e-4, β = 0.75; torch divides α by n."""
    return nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)


def dense(c_in: int, dropout: float) -> nn.Sequential:
    """Layers 6 and 7."""
    return nn.Sequential(nn.Linear(c_in, HIDDEN), nn.ReLU(), nn.Dropout(dropout))


class ZFNet(nn.Module):
    """Five convolutional layers, two dense ones, the output."""

    def __init__(self, spec: ZFNetSpec) -> None:
        super().__init__()
        three, four, five = spec.late
        self.layer1 = nn.Sequential(
            *(nn.Conv2d(spec.in_channels, 96, 7, stride=2, padding=1), nn.ReLU()),
            *(nn.MaxPool2d(3, 2, padding=1), normalisation()),
        )
        self.layer2 = nn.Sequential(
            *(nn.Conv2d(96, 256, 5, stride=2), nn.ReLU()),
            *(nn.MaxPool2d(3, 2, padding=1), normalisation()),
        )
        self.layer3 = nn.Sequential(nn.Conv2d(256, three, 3, padding=1), nn.ReLU())
        self.layer4 = nn.Sequential(nn.Conv2d(three, four, 3, padding=1), nn.ReLU())
        self.layer5 = nn.Sequential(
            nn.Conv2d(four, five, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2), nn.Flatten()
        )
        self.layer6 = dense(five * spec.final_size**2, spec.dropout)
        self.layer7 = dense(HIDDEN, spec.dropout)
        self.output = nn.Linear(HIDDEN, spec.num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.normal_(layer.weight, std=0.01)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        x = self.layer5(self.layer4(self.layer3(self.layer2(self.layer1(x)))))
        return self.output(self.layer7(self.layer6(x)))


PAPER = Paper(
    authors="Zeiler, Fergus",
    title="Visualizing and understanding convolutional networks",
    year=2013,
    where="arXiv:1311.2901",
)

FAMILY = Family(
    name="zfnet",
    build=ZFNet,
    variants={
        "zfnet": Variant(
            spec=ZFNetSpec(),
            paper=PAPER,
            summary="the network of Figure 3: 7x7 at stride 2 instead of AlexNet's 11x11 at 4",
        ),
        "zfnet-b": Variant(
            spec=ZFNetSpec(late=(512, 1024, 512)),
            paper=PAPER,
            summary="network (b) of Table 2: 512, 1024 and 512 maps in layers 3 to 5",
        ),
    },
)
