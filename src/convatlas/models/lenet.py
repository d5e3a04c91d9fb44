"""LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998), Proc. IEEE 86(11), section II-B, and after.

    layer   what                                       size       parameters  connections
    input   the picture in a 32x32 frame               1@32x32
    C1      convolution 5x5                            6@28x28           156      122,304
    S2      sub-sampling 2x2, one weight, one bias     6@14x14            12        5,880
    C3      convolution 5x5 after Table I              16@10x10        1,516      151,600
    S4      sub-sampling 2x2                           16@5x5             32        2,000
    C5      convolution 5x5                            120@1x1        48,120       48,120
    F6      dense                                      84             10,164       10,164
    output  radial basis units on fixed 7x12 bitmaps   10                  0          840
                                                             total    60,000      340,908

The squashing function 1.7159 tanh(2x/3) follows every layer from C1 to F6.
Knobs in the paper: none. Departure: the bitmaps are redrawn after Figure 3, whose print is too
small to be sure of every pixel. The later forms keep only the order of the layers:

    lenet-caffe     20-50 maps, max pooling, one ReLU           (Caffe's MNIST example)
    lenet-sigmoid   6-16 maps, average pooling, sigmoid         (Dive into Deep Learning)
    lenet-relu      6-16 maps, max pooling, ReLU                (PyTorch's tutorial)
    lenet-bn        8-32 maps, max pooling, batch norm, ReLU: the quickest to train
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.graph.conv import Conv
from convatlas.graph.operation import Operation
from convatlas.graph.pointwise import Activation
from convatlas.graph.pool import SubSampling as SubSampled
from convatlas.graph.product import Distance
from convatlas.models.family import Family, Paper, Variant

# Table I, column by column: the maps of S2 that each of the 16 maps of C3 reads.
TABLE_I = (
    *((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5)),
    *((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5)),
    *((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5)),
    (0, 1, 2, 3, 4, 5),
)

# Figure 3, the digits: 7 wide and 12 high, ink is +1 and paper is -1.
BITMAPS = """
....... ...##.. ....... ####### ....... ....... ..####. ####### .#####. .#####.
....... ..###.. ....... .....## ....... ....... .##.... .....## ##...## ##..###
..###.. .####.. .#####. ....##. ....... ####### ##..... .....## ##...## ##...##
.##.##. ...##.. ##...## ...##.. .##..## ##..... ##..... ....##. ##...## ##...##
##...## ...##.. #....## ..####. .##..## ##..... ######. ...##.. .#####. ##..###
##...## ...##.. ....##. .....## ###..## .####.. ###..## ...##.. ##...## .######
##...## ...##.. ..###.. .....## ##...## ..####. ##...## ..##... ##...## .....##
##...## ...##.. .##.... .....## ##...## .....## ##...## ..##... ##...## .....##
.##.##. ...##.. ##..... ##...## ##..### ##...## ###..## ..##... ##...## ....##.
..###.. .###### ####### .#####. .###### .#####. .#####. ..##... .#####. .####..
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
....... ....... ....... ....... .....## ....... ....... ....... ....... .......
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeNet5Spec:
    """The network of Figure 2; only the number of input channels can be chosen."""

    in_channels: int = 1
    num_classes: int = 10
    image_size: int = 32

    def __post_init__(self) -> None:
        if self.num_classes != 10:
            raise UserError(
                f"lenet5 tells ten digits apart by their bitmaps, so it cannot have "
                f"{self.num_classes} classes; use lenet-relu"
            )
        if self.image_size != 32:
            raise UserError(
                f"lenet5 takes pictures of 32x32, given {self.image_size}x{self.image_size} "
                "(padding included); choose the padding or the size that makes 32"
            )


class ScaledTanh(nn.Module):
    """f(a) = 1.7159 tanh(2a/3), so that f(1) = 1 and f(-1) = -1 (appendix A)."""

    def forward(self, x: Tensor) -> Tensor:
        """Squash every element."""
        return 1.7159 * torch.tanh(x * (2 / 3))

    def operation(self) -> Operation:
        """What the Graph holds instead of its pieces."""
        return Activation(function="scaled tanh", settings=(1.7159, 2 / 3))


class SubSampling(nn.Module):
    """The sum of each 2x2 window, times the map's one weight, plus the map's one bias."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(maps, 1, 1))
        self.bias = nn.Parameter(torch.empty(maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, maps, H, W) to (N, maps, H/2, W/2)."""
        return F.avg_pool2d(x, 2, divisor_override=1) * self.weight + self.bias

    def operation(self) -> Operation:
        """What the Graph holds instead of its pieces."""
        return SubSampled()


class TableConvolution(nn.Module):
    """A 5x5 convolution with a kernel only where the table has a link."""

    def __init__(self, c_in: int, table: tuple[tuple[int, ...], ...]) -> None:
        super().__init__()
        links = [(out, into) for out, column in enumerate(table) for into in column]
        self.shape = (len(table), c_in, 5, 5)
        self.register_buffer("links", torch.tensor(links).T, persistent=False)
        self.weight = nn.Parameter(torch.empty(len(links), 5, 5))
        self.bias = nn.Parameter(torch.empty(len(table)))

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, len(table), H-4, W-4)."""
        dense = self.weight.new_zeros(self.shape)
        out, into = self.get_buffer("links")
        return F.conv2d(x, dense.index_put((out, into), self.weight), self.bias)

    def operation(self) -> Operation:
        """What the Graph holds instead of its pieces: only the linked maps count."""
        c_out, c_in, *kernel = self.shape
        return Conv(
            c_in=c_in,
            c_out=c_out,
            kernel=tuple(kernel),
            stride=(1, 1),
            padding=((0, 0), (0, 0)),
            dilation=(1, 1),
            links=len(self.weight),
        )


class RadialBasis(nn.Module):
    """Minus the squared distance to each class's bitmap: the paper's penalty y_i, sign turned.

    With the sign turned the largest output wins, as in every other network.
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("bitmaps", digit_bitmaps())

    def forward(self, x: Tensor) -> Tensor:
        """(N, 84) to (N, 10)."""
        return -(x[:, None] - self.get_buffer("bitmaps")).square().sum(2)

    def operation(self) -> Operation:
        """What the Graph holds instead of its pieces."""
        c_out, c_in = self.get_buffer("bitmaps").shape
        return Distance(c_in=c_in, c_out=c_out)


def digit_bitmaps() -> Tensor:
    """The ten digits of Figure 3 as vectors of +1 and -1, shape (10, 84)."""
    rows = [line.split() for line in BITMAPS.split("\n") if line]
    digits = ["".join(row[digit] for row in rows) for digit in range(10)]
    return torch.tensor([[1.0 if dot == "#" else -1.0 for dot in digit] for digit in digits])


class LeNet5(nn.Module):
    """C1, S2, C3, S4, C5, F6 and the radial basis output of Figure 2."""

    def __init__(self, spec: LeNet5Spec) -> None:
        super().__init__()
        self.c1, self.c1_squash = nn.Conv2d(spec.in_channels, 6, 5), ScaledTanh()
        self.s2, self.s2_squash = SubSampling(6), ScaledTanh()
        self.c3, self.c3_squash = TableConvolution(6, TABLE_I), ScaledTanh()
        self.s4, self.s4_squash = SubSampling(16), ScaledTanh()
        self.c5, self.c5_squash = nn.Conv2d(16, 120, 5), ScaledTanh()
        self.f6, self.f6_squash = nn.Linear(120, 84), ScaledTanh()
        self.output = RadialBasis()
        self.draw_weights()

    def draw_weights(self) -> None:
        """Every weight and bias uniform in ±2.4 / fan-in (appendix A)."""
        fan_in = {"c1": 25 * self.c1.in_channels, "s2": 4, "s4": 4, "c5": 400, "f6": 120}
        for name, inputs in fan_in.items():
            for parameter in self.get_submodule(name).parameters():
                nn.init.uniform_(parameter, -2.4 / inputs, 2.4 / inputs)
        with torch.no_grad():  # a map of C3 reads three, four or six maps
            inputs_of = torch.tensor([25.0 * len(column) for column in TABLE_I])
            bound = 2.4 / inputs_of.to(self.c3.bias.device)
            out = self.c3.get_buffer("links")[0]
            self.c3.weight.uniform_(-1, 1).mul_(bound[out][:, None, None])
            self.c3.bias.uniform_(-1, 1).mul_(bound)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, 32, 32) to minus the ten penalties, (N, 10)."""
        x = self.s2_squash(self.s2(self.c1_squash(self.c1(x))))
        x = self.s4_squash(self.s4(self.c3_squash(self.c3(x))))
        x = self.c5_squash(self.c5(x)).flatten(1)
        return self.output(self.f6_squash(self.f6(x)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LeNetSpec:
    """A later LeNet: two convolutions with pools, then dense layers.

    ``nonlinearity`` says where it stands: after each convolution and dense layer
    (``everywhere``), or after the hidden dense layers only (``dense``).
    """

    maps: tuple[int, int] = (6, 16)
    hidden: tuple[int, ...] = (120, 84)
    padding: int = 2  # of the first convolution; 2 makes 28x28 behave as the paper's 32x32
    pool: Literal["average", "max", "max, rounding up"] = "max"
    activation: type[nn.Module] = nn.ReLU
    nonlinearity: Literal["everywhere", "dense"] = "everywhere"
    batch_norm: bool = False
    weights: Literal["torch", "glorot", "caffe"] = "torch"  # how they are first drawn
    dropout: float = 0.0
    in_channels: int = 1
    num_classes: int = 10
    image_size: int = 28

    def __post_init__(self) -> None:
        if self.final_size < 1:
            smallest = next(s for s in range(1, 33) if self.size_after(s) >= 1)
            raise UserError(
                f"pictures of {self.image_size}x{self.image_size} leave nothing after this LeNet's "
                f"second pool; it accepts {smallest}x{smallest} and larger"
            )

    @property
    def final_size(self) -> int:
        """Height and width after the second pool."""
        return self.size_after(self.image_size)

    def size_after(self, size: int) -> int:
        """Height and width that a picture of ``size`` has after the second pool."""
        halve: Callable[[float], int] = math.ceil if self.pool.endswith("up") else math.floor
        return halve((halve((size + 2 * self.padding - 4) / 2) - 4) / 2)


def stage(spec: LeNetSpec, c_in: int, c_out: int, padding: int) -> nn.Sequential:
    """Convolution 5x5, then pool; the non-linearity before the pool, or after it with batch norm.

    Max pooling and ReLU commute, so ReLU on the pooled map gives the same numbers four times
    cheaper; only the place of batch norm is a real difference.
    """
    parts: list[nn.Module] = [nn.Conv2d(c_in, c_out, 5, padding=padding, bias=not spec.batch_norm)]
    pool: nn.Module = (
        nn.AvgPool2d(2)
        if spec.pool == "average"
        else nn.MaxPool2d(2, ceil_mode=spec.pool.endswith("up"))
    )
    if spec.batch_norm:
        parts += [pool, nn.BatchNorm2d(c_out), spec.activation()]
    elif spec.nonlinearity == "everywhere":
        parts += [spec.activation(), pool]
    else:
        parts += [pool]
    return nn.Sequential(*parts)


def head(spec: LeNetSpec) -> nn.Sequential:
    """The hidden dense layers with their non-linearity, then the scores."""
    parts: list[nn.Module] = [nn.Flatten()]
    width = spec.maps[1] * spec.final_size**2
    for hidden in spec.hidden:
        parts += [nn.Linear(width, hidden, bias=not spec.batch_norm)]
        parts += [nn.BatchNorm1d(hidden)] if spec.batch_norm else []
        parts += [spec.activation()]
        parts += [nn.Dropout(spec.dropout)] if spec.dropout else []
        width = hidden
    return nn.Sequential(*parts, nn.Linear(width, spec.num_classes))


class LeNet(nn.Module):
    """Two stages of convolution and pool, then the head."""

    def __init__(self, spec: LeNetSpec) -> None:
        super().__init__()
        self.stage1 = stage(spec, spec.in_channels, spec.maps[0], spec.padding)
        self.stage2 = stage(spec, spec.maps[0], spec.maps[1], 0)
        self.head = head(spec)
        self.draw_weights(spec.weights)

    def draw_weights(self, rule: Literal["torch", "glorot", "caffe"]) -> None:
        """Glorot's uniform rule, or Caffe's reading of it: ±sqrt(3 / fan-in), biases zero."""
        for layer in self.modules() if rule != "torch" else ():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                if rule == "glorot":
                    nn.init.xavier_uniform_(layer.weight)
                else:
                    bound = math.sqrt(3 / layer.weight[0].numel())
                    nn.init.uniform_(layer.weight, -bound, bound)
                    nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        return self.head(self.stage2(self.stage1(x)))


def build(spec: LeNet5Spec | LeNetSpec) -> nn.Module:
    """The 1998 network, or one of its later forms."""
    return LeNet5(spec) if isinstance(spec, LeNet5Spec) else LeNet(spec)


PAPER = Paper(
    authors="LeCun, Bottou, Bengio, Haffner",
    title="Gradient-based learning applied to document recognition",
    year=1998,
    where="Proc. IEEE 86(11)",
)
CAFFE = Paper(
    authors="Jia et al.",
    title="Caffe: convolutional architecture for fast feature embedding",
    year=2014,
    where="ACM Multimedia; examples/mnist/lenet.prototxt",
)
DIVE = Paper(
    authors="Zhang, Lipton, Li, Smola",
    title="Dive into Deep Learning",
    year=2021,
    where="section 7.6, Convolutional neural networks (LeNet)",
)
DENSE_C3 = "C3 reads every map of S2; the 1998 paper links them by Table I"
SOFTMAX = "a dense output with softmax instead of radial basis units"
MODERN = (DENSE_C3, "max pooling without weights", "ReLU instead of the scaled tanh", SOFTMAX)

FAMILY: Family[LeNet5Spec | LeNetSpec] = Family(
    name="lenet",
    build=build,
    variants={
        "lenet5": Variant(
            spec=LeNet5Spec(),
            paper=PAPER,
            summary="the network of 1998, with Table I, sub-sampling and radial basis output",
            departures=("the ten bitmaps are redrawn after Figure 3",),
        ),
        "lenet-caffe": Variant(
            spec=LeNetSpec(
                maps=(20, 50),
                hidden=(500,),
                padding=0,
                pool="max, rounding up",
                nonlinearity="dense",
                weights="caffe",
            ),
            paper=CAFFE,
            summary="20 and 50 maps, max pooling, a single ReLU after the 500 dense units",
        ),
        "lenet-sigmoid": Variant(
            spec=LeNetSpec(pool="average", activation=nn.Sigmoid, weights="glorot"),
            paper=DIVE,
            summary="average pooling and sigmoid",
        ),
        "lenet-relu": Variant(
            spec=LeNetSpec(),
            paper=PAPER,
            summary="max pooling and ReLU, as tutorials build it today",
            departures=MODERN,
        ),
        "lenet-bn": Variant(
            spec=LeNetSpec(maps=(8, 32), padding=0, batch_norm=True),
            paper=PAPER,
            summary="8 and 32 maps, max pooling, batch norm and ReLU: the quickest to train",
            departures=(
                *MODERN,
                "8 and 32 maps instead of 6 and 16, on 28x28 pictures without a frame",
                "batch norm (Ioffe & Szegedy 2015) after each pool and each hidden dense layer",
            ),
        ),
    },
)
