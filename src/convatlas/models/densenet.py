"""DenseNet (Huang, Liu, van der Maaten, Weinberger 2017), arXiv:1608.06993, Tables 1 and 2.

    layers              size     121     169     201     264     161 (k = 48)
    convolution         112x112          7x7, stride 2
    pooling             56x56            3x3 max, stride 2
    dense block 1       56x56    x 6     x 6     x 6     x 6     x 6
    transition 1        28x28            1x1, then 2x2 average, stride 2
    dense block 2       28x28    x 12    x 12    x 12    x 12    x 12
    transition 2        14x14            1x1, then 2x2 average, stride 2
    dense block 3       14x14    x 24    x 32    x 48    x 64    x 36
    transition 3        7x7              1x1, then 2x2 average, stride 2
    dense block 4       7x7      x 16    x 32    x 32    x 48    x 24
    classification      1x1              7x7 global average, dense, softmax

A layer of a dense block is 1x1 then 3x3, each as batch norm, ReLU, convolution; it adds k maps
to all that came before it (k = 32 above). DenseNet-161 stands in the first versions of the paper
only, DenseNet-264 in the last only; counted as the others are, it has 265 layers. The networks for
CIFAR (Table 2) have three blocks of equal depth at 32x32, 16x16 and 8x8 after one 3x3 convolution;
without B a layer is the 3x3 alone.

Knobs in the paper: the growth rate k, the layers of each block, bottlenecks (B), the compression θ
of the transitions (C; BC has θ = 0.5), and dropout: 0.2 for data without augmentation, else none.
Weights: He et al. (section 4.2), fan-in form; the dense layer, on which the paper is silent, has
torch's default. Departures: none. torchvision's networks are the same as long as nothing is
dropped; its dropout follows the 3x3 convolutions only.
"""

from collections import OrderedDict
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

WIDTH_1X1 = 4  # the 1x1 of a bottleneck makes 4k maps (section 3, bottleneck layers)


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseNetSpec:
    """One column of Table 1, or one row of Table 2 (``cifar``); the defaults are BC for ImageNet.

    ``dropout`` follows every convolution but the first (section 4.2).
    """

    depths: tuple[int, ...]
    growth: int = 32
    bottleneck: bool = True
    compression: float = 0.5
    cifar: bool = False
    dropout: float = 0.0
    in_channels: int = 3
    num_classes: int = 1000
    image_size: int = 224

    def __post_init__(self) -> None:
        if self.image_size < self.smallest:
            raise UserError(
                f"pictures of {self.image_size}x{self.image_size} leave nothing after this "
                f"DenseNet's last transition; it accepts {self.smallest}x{self.smallest} and larger"
            )

    @property
    def smallest(self) -> int:
        """Height and width of the smallest picture of which one unit is left."""
        left = int(2 ** (len(self.depths) - 1))  # before the transitions, which round down
        return left if self.cifar else 4 * (left - 1) + 1  # the stem rounds up, twice

    @property
    def maps(self) -> int:
        """Maps of the first convolution: 2k with bottlenecks, else 16 (section 3)."""
        return 2 * self.growth if self.bottleneck else 16


def composite(c_in: int, c_out: int, kernel: int, dropout: float) -> nn.Sequential:
    """Batch norm, ReLU, convolution; then dropout, if any, under a name that shifts no other."""
    parts: dict[str, nn.Module] = {
        "norm": nn.BatchNorm2d(c_in),
        "relu": nn.ReLU(),
        "conv": nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False),
    }
    if dropout:
        parts["dropout"] = nn.Dropout(dropout)
    return nn.Sequential(OrderedDict(parts))


class DenseLayer(nn.Module):
    """Equation 2: the layer reads all maps made so far and adds its k to them."""

    def __init__(self, c_in: int, spec: DenseNetSpec) -> None:
        super().__init__()
        parts = OrderedDict[str, nn.Module]()
        if spec.bottleneck:
            parts["conv1x1"] = composite(c_in, WIDTH_1X1 * spec.growth, 1, spec.dropout)
            c_in = WIDTH_1X1 * spec.growth
        parts["conv3x3"] = composite(c_in, spec.growth, 3, spec.dropout)
        self.composite = nn.Sequential(parts)

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_in + k, H, W)."""
        return torch.cat((x, self.composite(x)), 1)


def dense_block(c_in: int, depth: int, spec: DenseNetSpec) -> nn.Sequential:
    """Dense layers one after the other, each with k more maps to read."""
    widths = (c_in + layer * spec.growth for layer in range(depth))
    return nn.Sequential(*(DenseLayer(width, spec) for width in widths))


def transition(c_in: int, c_out: int, dropout: float) -> nn.Sequential:
    """Batch norm, ReLU, 1x1 convolution, then the average of each 2x2 window."""
    parts = composite(c_in, c_out, 1, dropout)
    parts.add_module("pool", nn.AvgPool2d(2))
    return parts


def stem(spec: DenseNetSpec) -> nn.Sequential:
    """What precedes the first block: 3x3 for CIFAR; 7x7, batch norm, ReLU and pool otherwise."""
    if spec.cifar:
        conv = nn.Conv2d(spec.in_channels, spec.maps, 3, padding=1, bias=False)
        return nn.Sequential(OrderedDict(conv=conv))
    conv = nn.Conv2d(spec.in_channels, spec.maps, 7, stride=2, padding=3, bias=False)
    norm, relu, pool = nn.BatchNorm2d(spec.maps), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)
    return nn.Sequential(OrderedDict(conv=conv, norm=norm, relu=relu, pool=pool))


class DenseNet(nn.Module):
    """Stem, dense blocks with transitions between them, global average, dense layer."""

    def __init__(self, spec: DenseNetSpec) -> None:
        super().__init__()
        self.stem = stem(spec)
        width, blocks = spec.maps, OrderedDict[str, nn.Module]()
        for number, depth in enumerate(spec.depths, start=1):
            blocks[f"block{number}"] = dense_block(width, depth, spec)
            width += depth * spec.growth
            if number < len(spec.depths):
                reduced = int(spec.compression * width)
                blocks[f"transition{number}"] = transition(width, reduced, spec.dropout)
                width = reduced
        self.blocks = nn.Sequential(blocks)
        self.norm, self.relu = nn.BatchNorm2d(width), nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, spec.num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) of at least ``spec.smallest`` to scores, (N, num_classes)."""
        x = self.relu(self.norm(self.blocks(self.stem(x))))
        return self.classifier(self.pool(x).flatten(1))


PAPER = Paper(
    authors="Huang, Liu, van der Maaten, Weinberger",
    title="Densely connected convolutional networks",
    year=2017,
    where="CVPR; arXiv:1608.06993",
)


def imagenet(depths: tuple[int, ...], growth: int = 32) -> Variant[DenseNetSpec]:
    """One column of Table 1."""
    layers = 2 * sum(depths) + 5  # stem, three transitions and the dense layer besides
    summary = f"{layers} layers for ImageNet, k = {growth}"
    return Variant(spec=DenseNetSpec(depths=depths, growth=growth), paper=PAPER, summary=summary)


def cifar(depth: int, growth: int, *, bc: bool) -> Variant[DenseNetSpec]:
    """One row of Table 2; L counts the stem, two transitions and the dense layer besides."""
    spec = DenseNetSpec(
        depths=((depth - 4) // (6 if bc else 3),) * 3,
        growth=growth,
        bottleneck=bc,
        compression=0.5 if bc else 1.0,
        cifar=True,
        num_classes=10,
        image_size=32,
    )
    kind = "with bottlenecks and compression" if bc else "plain"
    summary = f"{depth} layers for CIFAR, k = {growth}, {kind}"
    return Variant(spec=spec, paper=PAPER, summary=summary)


FAMILY: Family[DenseNetSpec] = Family(
    name="densenet",
    build=DenseNet,
    variants={
        "densenet121": imagenet((6, 12, 24, 16)),
        "densenet161": imagenet((6, 12, 36, 24), growth=48),
        "densenet169": imagenet((6, 12, 32, 32)),
        "densenet201": imagenet((6, 12, 48, 32)),
        "densenet264": imagenet((6, 12, 64, 48)),
        "densenet-40-12-cifar": cifar(40, 12, bc=False),
        "densenet-100-12-cifar": cifar(100, 12, bc=False),
        "densenet-100-24-cifar": cifar(100, 24, bc=False),
        "densenet-bc-100-12-cifar": cifar(100, 12, bc=True),
        "densenet-bc-250-24-cifar": cifar(250, 24, bc=True),
        "densenet-bc-190-40-cifar": cifar(190, 40, bc=True),
    },
)
