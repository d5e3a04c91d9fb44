"""AlexNet (Krizhevsky, Sutskever, Hinton 2012), NIPS 25, section 3 and Figure 2.

    layer   what                             size        parameters  reads
    input   the picture                      3@224x224
    conv1   convolution 11x11, stride 4      96@55x55        34,944  the picture
    norm1   response normalisation           96@55x55                its own column
    pool1   maximum of 3x3, stride 2         96@27x27
    conv2   convolution 5x5                  256@27x27      307,456  its own column
    norm2   response normalisation           256@27x27               its own column
    pool2   maximum of 3x3, stride 2         256@13x13
    conv3   convolution 3x3                  384@13x13      885,120  both columns
    conv4   convolution 3x3                  384@13x13      663,936  its own column
    conv5   convolution 3x3                  256@13x13      442,624  its own column
    pool5   maximum of 3x3, stride 2         256@6x6
    fc6     dense, dropout 0.5               4096        37,752,832  both columns
    fc7     dense, dropout 0.5               4096        16,781,312  both columns
    fc8     dense                            1000         4,097,000  both columns
                                             total       60,965,224

ReLU after every layer but the last. A column is what one of the paper's two GPUs holds: half of
the maps of every layer. Here both stand in one tensor, first column first, and a layer that reads
only its own column is a convolution in two groups. `alexnet_columns` puts them on two devices.

Knobs in the paper: none. Two things it leaves open:

- 224 is printed, but 11x11 at stride 4 fits 55 times into 227. Two zeros on either side, of which
  the last is never read, make the 227 and keep the printed 224.
- Section 3.3 sums over the "adjacent" maps of a layer, section 3.5 says that the columns meet at
  conv3 and the dense layers only. So the sum stays within a column: at the seam a map has
  neighbours on one side. (Caffe's merged network sums across the seam.)
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

# Section 5: these biases start at one, so that their ReLUs have something to pass on.
BIASED = ("conv2", "conv4", "conv5", "fc6", "fc7")

Layers = list[tuple[str, nn.Module]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlexNetSpec:
    """The network of Figure 2, the form it has in torchvision, or a small one."""

    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224
    dropout: float = 0.5
    maps: tuple[int, int, int, int, int] = (96, 256, 384, 384, 256)
    hidden: int = 4096
    first: tuple[int, int, int] = (11, 4, 2)  # kernel, stride and padding of conv1
    columns: Literal[1, 2] = 2
    profile: Literal["paper", "torchvision"] = "paper"
    weights: Literal["paper", "he", "torch"] = "paper"

    def __post_init__(self) -> None:
        if self.final_size < 1:
            kernel, stride, padding = self.first
            smallest = 14 * stride + kernel - 2 * padding  # conv1 makes the 15 that pools need
            raise UserError(
                f"AlexNet's pools leave nothing of a {self.image_size}x{self.image_size} picture; "
                f"this form accepts {smallest}x{smallest} and larger"
            )

    @property
    def final_size(self) -> int:
        """Height and width after pool5."""
        kernel, stride, padding = self.first
        size = (self.image_size + 2 * padding - kernel) // stride + 1
        for _pool in range(3):
            size = (size - 3) // 2 + 1
        return size


class ResponseNorm(nn.Module):
    """Section 3.3: a / (2 + 1e-4 sum a^2)^0.75 over five neighbouring maps of the same column."""

    def __init__(self, columns: int) -> None:
        super().__init__()
        self.columns = columns
        # torch divides alpha by the size of the neighbourhood, the paper does not
        self.norm = nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to the same, each column by itself."""
        apart = x.chunk(self.columns, 1)
        return torch.cat([self.norm(apart[i]) for i in range(self.columns)], 1)


def convolutional(spec: AlexNetSpec) -> nn.Sequential:
    """From conv1 to pool5."""
    maps, own = spec.maps, spec.columns  # a layer that reads its own column has so many groups
    kernel, stride, padding = spec.first

    def norm(number: int) -> Layers:
        return [(f"norm{number}", ResponseNorm(own))] if spec.profile == "paper" else []

    return nn.Sequential(
        OrderedDict[str, nn.Module](
            [
                ("conv1", nn.Conv2d(spec.in_channels, maps[0], kernel, stride, padding)),
                *(("relu1", nn.ReLU()), *norm(1), ("pool1", nn.MaxPool2d(3, 2))),
                ("conv2", nn.Conv2d(maps[0], maps[1], 5, padding=2, groups=own)),
                *(("relu2", nn.ReLU()), *norm(2), ("pool2", nn.MaxPool2d(3, 2))),
                ("conv3", nn.Conv2d(maps[1], maps[2], 3, padding=1)),
                ("relu3", nn.ReLU()),
                ("conv4", nn.Conv2d(maps[2], maps[3], 3, padding=1, groups=own)),
                ("relu4", nn.ReLU()),
                ("conv5", nn.Conv2d(maps[3], maps[4], 3, padding=1, groups=own)),
                *(("relu5", nn.ReLU()), ("pool5", nn.MaxPool2d(3, 2))),
            ]
        )
    )


def dense(spec: AlexNetSpec) -> nn.Sequential:
    """The dense layers; dropout silences hidden units, in torchvision's form their inputs.

    Torch scales up while training what the paper scales down when testing.
    """

    def hidden(number: int, c_in: int) -> Layers:
        unit: Layers = [(f"fc{number}", nn.Linear(c_in, spec.hidden)), (f"relu{number}", nn.ReLU())]
        drop = (f"drop{number}", nn.Dropout(spec.dropout))
        return [*unit, drop] if spec.profile == "paper" else [drop, *unit]

    adaptive = spec.profile == "torchvision"
    size = 6 if adaptive else spec.final_size
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            [
                *([("resize", nn.AdaptiveAvgPool2d(6))] if adaptive else []),
                ("flatten", nn.Flatten()),
                *hidden(6, spec.maps[4] * size**2),
                *hidden(7, spec.hidden),
                ("fc8", nn.Linear(spec.hidden, spec.num_classes)),
            ]
        )
    )


class AlexNet(nn.Module):
    """Five convolutional layers, then three dense ones."""

    def __init__(self, spec: AlexNetSpec) -> None:
        super().__init__()
        self.spec = spec
        self.convolutional = convolutional(spec)
        self.dense = dense(spec)
        self.draw_weights(spec.weights)

    def draw_weights(self, rule: Literal["paper", "he", "torch"]) -> None:
        """Weights from N(0, 0.01), biases one where section 5 says so, else zero.

        Narrower layers need larger weights: He et al. (2015), all biases zero.
        """
        for path, layer in self.named_modules() if rule != "torch" else ():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                if rule == "he":
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                else:
                    nn.init.normal_(layer.weight, std=0.01)
                start = 1.0 if rule == "paper" and path.endswith(BIASED) else 0.0
                nn.init.constant_(layer.get_parameter("bias"), start)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        return self.dense(self.convolutional(x))


PAPER = Paper(
    authors="Krizhevsky, Sutskever, Hinton",
    title="ImageNet classification with deep convolutional neural networks",
    year=2012,
    where="NIPS 25",
)
TRICK = Paper(
    authors="Krizhevsky",
    title="One weird trick for parallelizing convolutional neural networks",
    year=2014,
    where="arXiv:1404.5997",
)

FAMILY = Family(
    name="alexnet",
    build=AlexNet,
    variants={
        "alexnet": Variant(
            spec=AlexNetSpec(),
            paper=PAPER,
            summary="the network of 2012: two columns as grouped convolutions",
            departures=("two zeros around the 224x224 picture; the paper's sizes need 227x227",),
        ),
        "alexnet@torchvision": Variant(
            spec=AlexNetSpec(
                maps=(64, 192, 384, 256, 256), columns=1, profile="torchvision", weights="torch"
            ),
            paper=TRICK,
            summary="one column of 64, 192, 384, 256, 256 maps, as torchvision has it",
            departures=(
                "conv4 has 256 maps, in the paper of 2014 384",
                "no response normalisation",
                "dropout before fc6 and fc7, in the paper of 2012 after them",
                "pool5 is averaged to 6x6, so that other input sizes run",
                "torch's own initialisation",
            ),
        ),
        "alexnet-28": Variant(
            spec=AlexNetSpec(
                num_classes=10,
                in_channels=1,
                image_size=28,
                maps=(48, 128, 192, 192, 128),
                hidden=1024,
                first=(5, 1, 2),
                weights="he",
            ),
            paper=PAPER,
            summary="the two columns on 28x28 pictures, half as wide",
            departures=(
                "conv1 is 5x5 at stride 1, so that 28x28 becomes 28, 13, 6 and 2",
                "half of the maps in every layer and 1024 hidden units",
                "He's initialisation: the paper's N(0, 0.01) is too small for layers this narrow",
            ),
        ),
    },
)
