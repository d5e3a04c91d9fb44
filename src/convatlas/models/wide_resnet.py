"""Wide residual networks (Zagoruyko & Komodakis 2016), arXiv:1605.07146, Table 1.

    group    size     WRN-d-k, for CIFAR                     WRN-50-2-bottleneck, for ImageNet
    conv1    32x32    3x3, 16                                ResNet-50, the middle of every
    conv2    32x32    (3x3, 16k; 3x3, 16k) x N               bottleneck twice as wide
    conv3    16x16    (3x3, 32k; 3x3, 32k) x N
    conv4    8x8      (3x3, 64k; 3x3, 64k) x N
    head     1x1      average pool, dense

A network of d layers has N = (d - 4) / 6; batch norm and ReLU stand before each convolution, and
dropout, where wanted, before the second (Figure 1d, section 2.4). The ImageNet networks have batch
norm and ReLU after (section 3.4). Where the shape changes the shortcut is a 1x1 convolution, after
the first batch norm and ReLU on CIFAR, as in the authors' code; that code also has the stride of a
bottleneck on its 3x3, of which the paper says nothing. Weights as He et al. 2015, as in that code.
Knobs in the paper: depth, widening factor k, dropout. Departures: none.
"""

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor, nn

from convatlas.layers.residual import Residual, bottleneck, projection_where_needed
from convatlas.layers.staged import (
    StagedNet,
    draw_he,
    imagenet_stem,
    pooled_head,
    refuse_smaller,
    stages,
)
from convatlas.models.family import Family, Paper, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class WideCifarSpec:
    """WRN-d-k of Table 1, with N blocks to a group."""

    blocks: int  # N
    k: int
    dropout: float = 0.0
    num_classes: int = 10
    in_channels: int = 3
    image_size: int = 32

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """x + F(x); where the shape changes the first batch norm and ReLU act on both paths."""
        activation: dict[str, nn.Module] = {"norm1": nn.BatchNorm2d(c_in), "relu1": nn.ReLU()}
        convs = self.convolutions(c_in, c_out, stride)
        if c_in == c_out and stride == 1:
            return Sum(nn.Sequential(OrderedDict(activation | convs)), nn.Identity())
        shortcut = nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)
        both = Sum(nn.Sequential(OrderedDict(convs)), shortcut)
        return nn.Sequential(OrderedDict(**activation, sum=both))

    def convolutions(self, c_in: int, c_out: int, stride: int) -> dict[str, nn.Module]:
        """3x3, batch norm, ReLU, dropout where wanted, 3x3."""
        parts: dict[str, nn.Module] = {
            "conv1": nn.Conv2d(c_in, c_out, 3, stride=stride, padding=1, bias=False),
            "norm2": nn.BatchNorm2d(c_out),
            "relu2": nn.ReLU(),
        }
        if self.dropout:
            parts["dropout"] = nn.Dropout(self.dropout)
        return {**parts, "conv2": nn.Conv2d(c_out, c_out, 3, padding=1, bias=False)}


@dataclass(frozen=True, slots=True, kw_only=True)
class WideImageNetSpec:
    """A ResNet of bottlenecks whose first two convolutions are ``k`` times as wide."""

    depths: tuple[int, int, int, int]
    k: int = 2
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """1x1, 3x3 with the stride, 1x1; batch norm and ReLU after."""
        width = self.k * c_out // 4
        branch = bottleneck(c_in, c_out, stride, width=width, stride_on="3x3")
        return Residual(branch, projection_where_needed(c_in, c_out, stride))


class Sum(nn.Module):
    """Equation 1: x + F(x)."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H/stride, W/stride), rounded up."""
        return self.shortcut(x) + self.branch(x)


class WideCifarResNet(StagedNet):
    """conv1, the groups conv2 to conv4, the last batch norm and ReLU with the head."""

    def __init__(self, spec: WideCifarSpec) -> None:
        widths = (16 * spec.k, 32 * spec.k, 64 * spec.k)
        super().__init__(
            stem=nn.Conv2d(spec.in_channels, 16, 3, padding=1, bias=False),
            stages=stages(spec.block, 16, widths, (spec.blocks,) * 3),
            head=nn.Sequential(
                OrderedDict(
                    norm=nn.BatchNorm2d(widths[-1]),
                    relu=nn.ReLU(),
                    **dict(pooled_head(widths[-1], spec.num_classes).named_children()),
                )
            ),
        )
        draw_he(self)


class WideImageNetResNet(StagedNet):
    """The stem of ResNet, four stages of wide bottlenecks, the head."""

    def __init__(self, spec: WideImageNetSpec) -> None:
        super().__init__(
            stem=imagenet_stem(spec.in_channels),
            stages=stages(spec.block, 64, (256, 512, 1024, 2048), spec.depths),
            head=pooled_head(2048, spec.num_classes),
        )
        draw_he(self)


def build(spec: WideCifarSpec | WideImageNetSpec) -> nn.Module:
    """A network for CIFAR or for ImageNet."""
    return WideCifarResNet(spec) if isinstance(spec, WideCifarSpec) else WideImageNetResNet(spec)


PAPER = Paper(
    authors="Zagoruyko, Komodakis",
    title="Wide residual networks",
    year=2016,
    where="BMVC 2016; arXiv:1605.07146",
)
# Table 4: depth and k
CIFAR = (
    (40, 1),
    (40, 2),
    (40, 4),
    (40, 8),
    (28, 10),
    (28, 12),
    (22, 8),
    (22, 10),
    (16, 8),
    (16, 10),
)


def _cifar(depth: int, k: int) -> Variant[WideCifarSpec | WideImageNetSpec]:
    return Variant(
        spec=WideCifarSpec(blocks=(depth - 4) // 6, k=k),
        paper=PAPER,
        summary=f"{depth} layers, {k} times as wide, for CIFAR",
    )


FAMILY: Family[WideCifarSpec | WideImageNetSpec] = Family(
    name="wide-resnet",
    build=build,
    variants={
        **{f"wide-resnet-{depth}-{k}": _cifar(depth, k) for depth, k in CIFAR},
        "wide-resnet-28-10-dropout": Variant(
            spec=WideCifarSpec(blocks=4, k=10, dropout=0.3),
            paper=PAPER,
            summary="28 layers, 10 times as wide, with dropout 0.3 (Table 6), for CIFAR",
        ),
        "wide-resnet-50-2": Variant(
            spec=WideImageNetSpec(depths=(3, 4, 6, 3)),
            paper=PAPER,
            summary="ResNet-50 with bottlenecks twice as wide (Table 8), for ImageNet",
        ),
        "wide-resnet-101-2@torchvision": Variant(
            spec=WideImageNetSpec(depths=(3, 4, 23, 3)),
            paper=PAPER,
            summary="ResNet-101 with bottlenecks twice as wide, for ImageNet",
            departures=("101 layers: torchvision's, built as the paper's 50",),
        ),
    },
)
