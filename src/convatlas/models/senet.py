"""Squeeze-and-excitation networks (Hu, Shen, Albanie, Sun, Wu 2017), arXiv:1709.01507, Table 1.

    size      SE-ResNet-50            SE-ResNeXt-50 (32x4d)           SENet-154
    112x112   7x7, 64, stride 2       7x7, 64, stride 2               3x3, 64, stride 2;
                                                                      3x3, 64; 3x3, 128
    56x56     max pool 3x3, stride 2, then blocks of 1x1, 3x3, 1x1 and SE; 3x3 in groups:
                                      32                              64
              64, 64, 256      x3     128, 128, 256      x3           128, 256, 256      x3
    28x28     128, 128, 512    x4     256, 256, 512      x4           256, 512, 512      x8
    14x14     256, 256, 1024   x6     512, 512, 1024     x6           512, 1024, 1024    x36
    7x7       512, 512, 2048   x3     1024, 1024, 2048   x3           1024, 2048, 2048   x3
    1x1       average pool, 1000 dense                                dropout 0.2 before it

SE stands at the end of the branch, before the sum (Figure 3). SE-ResNet has the stride on the first
1x1, the others on the 3x3; the shortcuts of SENet-154 are 3x3 convolutions where the map is halved
(appendix). Weights as He et al. 2015. Of what the paper leaves open the authors' Caffe networks
decide: the dense layers of SE have biases, and the max pool has no border but rounds its size up.
Knobs in the paper: depth, kind of block, reduction r (Table 10, dense layers without biases).
Departures: none.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

from torch import nn

from convatlas.layers.residual import (
    Residual,
    StrideOn,
    bottleneck,
    projection,
    projection_where_needed,
)
from convatlas.layers.se import SE
from convatlas.layers.staged import (
    StagedNet,
    draw_he,
    imagenet_stem,
    pooled_head,
    refuse_smaller,
    stages,
)
from convatlas.models.family import Family, Paper, Variant

DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SENetSpec:
    """One column of Table 1, or of the deeper networks built alike."""

    kind: Literal["resnet", "resnext", "senet154"]
    depths: tuple[int, int, int, int]
    reduction: int = 16
    bias: bool = True  # of the dense layers of SE
    stride_on: StrideOn = "1x1"
    pool: Literal["rounding up", "padded"] = "rounding up"
    dropout: float = 0.0
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 3 if self.pool == "rounding up" else 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """y = relu(SE(F(x)) + shortcut(x))."""
        plans: dict[str, tuple[tuple[int, int], int]] = {  # widths of 1x1 and 3x3, groups
            "resnet": ((c_out // 4, c_out // 4), 1),
            "resnext": ((c_out // 2, c_out // 2), 32),
            "senet154": ((c_out // 2, c_out), 64),
        }
        width, groups = plans[self.kind]
        branch = bottleneck(
            c_in, c_out, stride, width=width, groups=groups, stride_on=self.stride_on
        )
        branch.add_module("se", SE(c_out, reduction=self.reduction, bias=self.bias))
        if self.kind == "senet154" and stride > 1:
            return Residual(branch, projection(c_in, c_out, stride, kernel=3))
        return Residual(branch, projection_where_needed(c_in, c_out, stride))


def three_convolutions(c_in: int) -> nn.Sequential:
    """The first layers of SENet-154: three 3x3 convolutions in place of the 7x7, and the pool."""
    parts: dict[str, nn.Module] = {}
    plan = ((c_in, 64, 2), (64, 64, 1), (64, 128, 1))
    for number, (into, out, stride) in enumerate(plan, 1):
        parts[f"conv{number}"] = nn.Conv2d(into, out, 3, stride=stride, padding=1, bias=False)
        parts |= {f"norm{number}": nn.BatchNorm2d(out), f"relu{number}": nn.ReLU()}
    return nn.Sequential(OrderedDict(**parts, pool=nn.MaxPool2d(3, 2, ceil_mode=True)))


class SENet(StagedNet):
    """The first layers with the pool, four stages, the head."""

    def __init__(self, spec: SENetSpec) -> None:
        if spec.kind == "senet154":
            stem, c_in = three_convolutions(spec.in_channels), 128
        else:
            stem = imagenet_stem(spec.in_channels, round_up=spec.pool == "rounding up")
            c_in = 64
        super().__init__(
            stem=stem,
            stages=stages(spec.block, c_in, (256, 512, 1024, 2048), spec.depths),
            head=pooled_head(2048, spec.num_classes, dropout=spec.dropout),
        )
        draw_he(self)


PAPER = Paper(
    authors="Hu, Shen, Albanie, Sun, Wu",
    title="Squeeze-and-excitation networks",
    year=2017,
    where="CVPR 2018, TPAMI 2019; arXiv:1709.01507",
)
PADDED = "the max pool has a border of one; the authors' has none and rounds its size up"
V1_5 = "the stride is on the 3x3 of a bottleneck; the authors have it on the first 1x1"


def _resnet(depth: int) -> Variant[SENetSpec]:
    spec = SENetSpec(kind="resnet", depths=DEPTHS[depth])
    return Variant(spec=spec, paper=PAPER, summary=f"ResNet-{depth} with SE in every block")


def _reduced(reduction: int) -> Variant[SENetSpec]:
    spec = SENetSpec(kind="resnet", depths=DEPTHS[50], reduction=reduction, bias=False)
    summary = f"SE-ResNet-50 with r = {reduction} and no biases in SE, as in Table 10"
    return Variant(spec=spec, paper=PAPER, summary=summary)


def _resnext(depth: int) -> Variant[SENetSpec]:
    spec = SENetSpec(kind="resnext", depths=DEPTHS[depth], stride_on="3x3")
    return Variant(
        spec=spec, paper=PAPER, summary=f"ResNeXt-{depth} (32x4d) with SE in every block"
    )


def _timm(published: Variant[SENetSpec], *departures: str) -> Variant[SENetSpec]:
    spec = replace(published.spec, pool="padded", stride_on="3x3")
    return replace(published, spec=spec, departures=departures, summary="as timm has it")


FAMILY: Family[SENetSpec] = Family(
    name="senet",
    build=SENet,
    variants={
        "se-resnet50": _resnet(50),
        "se-resnet50@timm": _timm(_resnet(50), V1_5, PADDED),
        "se-resnet101": _resnet(101),
        "se-resnet101@timm": _timm(_resnet(101), V1_5, PADDED),
        "se-resnet152": _resnet(152),
        "se-resnet152@timm": _timm(_resnet(152), V1_5, PADDED),
        **{f"se-resnet50-r{r}": _reduced(r) for r in (2, 4, 8, 16, 32)},
        "se-resnext50": _resnext(50),
        "se-resnext50@timm": _timm(_resnext(50), PADDED),
        "se-resnext101": _resnext(101),
        "se-resnext101@timm": _timm(_resnext(101), PADDED),
        "senet154": Variant(
            spec=SENetSpec(kind="senet154", depths=DEPTHS[152], stride_on="3x3", dropout=0.2),
            paper=PAPER,
            summary="154 layers, 64 groups, SE in every block: the winner of ILSVRC 2017",
        ),
    },
)
