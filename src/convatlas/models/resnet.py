"""ResNet (He, Zhang, Ren, Sun 2015), arXiv:1512.03385, Table 1.

    layer    size      18        34        50                  101    152
    conv1    112x112   7x7, 64, stride 2
    conv2_x  56x56     max pool 3x3, stride 2, then
                       basic 64  basic 64  bottleneck 64-256
                       x2        x3        x3                  x3     x3
    conv3_x  28x28     basic 128 basic 128 bottleneck 128-512
                       x2        x4        x4                  x4     x8
    conv4_x  14x14     basic 256 basic 256 bottleneck 256-1024
                       x2        x6        x6                  x23    x36
    conv5_x  7x7       basic 512 basic 512 bottleneck 512-2048
                       x2        x3        x3                  x3     x3
             1x1       average pool, 1000 dense

basic = 3x3, 3x3; bottleneck = 1x1, 3x3, 1x1. Here conv1 with the pool is ``stem`` and conv2_x to
conv5_x are ``stage1`` to ``stage4``. conv3_1, conv4_1 and conv5_1 halve the map, in a bottleneck
by the first 1x1. Batch norm follows every convolution; none has a bias.

Knobs in the paper: the shortcut where the shape changes (section 3.3): A pads with zero maps, B
projects there, C projects in every block (section 4.1). The deeper networks are B; for 18 and 34
Table 2 compares A with the plain networks, Table 3 has all three, and B is what is called ResNet-18
today, so B is the default and A and C are variants. ``none`` leaves the shortcut out: the plain
networks. A later knob: the stride on the 3x3 of a bottleneck, known as v1.5.
Departures: none. The paper does not say how the max pool keeps 56: here by a border of one.
"""

from dataclasses import dataclass, replace
from typing import Literal

from torch import nn

from convatlas.layers.residual import (
    Residual,
    StrideOn,
    basic,
    bottleneck,
    padded_where_needed,
    projection,
    projection_where_needed,
)
from convatlas.layers.staged import (
    StagedNet,
    draw_he,
    imagenet_stem,
    pooled_head,
    refuse_smaller,
    stages,
)
from convatlas.models.family import Family, Paper, Variant

WIDTHS = (64, 128, 256, 512)  # Table 1: the 3x3 convolutions of conv2_x to conv5_x
EXPANSION = {"basic": 1, "bottleneck": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNetSpec:
    """One column of Table 1: the kind of block and how many in each stage."""

    kind: Literal["basic", "bottleneck"]
    depths: tuple[int, int, int, int]
    shortcut: Literal["A", "B", "C", "none"] = "B"  # section 3.3; "none" is the plain network
    stride_on: StrideOn = "1x1"  # Table 1; "3x3" is the later v1.5
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """One block; a plain one is the branch with the last ReLU."""
        if self.kind == "basic":
            branch = basic(c_in, c_out, stride)
        else:
            branch = bottleneck(c_in, c_out, stride, width=c_out // 4, stride_on=self.stride_on)
        if self.shortcut == "none":
            branch.add_module("relu", nn.ReLU())
            return branch
        rules = {"A": padded_where_needed, "B": projection_where_needed, "C": projection}
        return Residual(branch, rules[self.shortcut](c_in, c_out, stride))


class ResNet(StagedNet):
    """conv1 with the pool, conv2_x to conv5_x, the head; weights as He et al. 2015 draw them."""

    def __init__(self, spec: ResNetSpec) -> None:
        widths = tuple(EXPANSION[spec.kind] * width for width in WIDTHS)
        super().__init__(
            stem=imagenet_stem(spec.in_channels),
            stages=stages(spec.block, 64, widths, spec.depths),
            head=pooled_head(widths[-1], spec.num_classes),
        )
        draw_he(self)


PAPER = Paper(
    authors="He, Zhang, Ren, Sun",
    title="Deep residual learning for image recognition",
    year=2015,
    where="CVPR 2016; arXiv:1512.03385",
)
V1_5 = "the stride is on the 3x3 of a bottleneck; Table 1 has it on the first 1x1"
RESNET18 = ResNetSpec(kind="basic", depths=(2, 2, 2, 2))
RESNET34 = ResNetSpec(kind="basic", depths=(3, 4, 6, 3))
RESNET50 = ResNetSpec(kind="bottleneck", depths=(3, 4, 6, 3))
RESNET101 = ResNetSpec(kind="bottleneck", depths=(3, 4, 23, 3))
RESNET152 = ResNetSpec(kind="bottleneck", depths=(3, 8, 36, 3))


def _published(spec: ResNetSpec, summary: str) -> Variant[ResNetSpec]:
    return Variant(spec=spec, paper=PAPER, summary=summary)


def _v1_5(spec: ResNetSpec) -> Variant[ResNetSpec]:
    return Variant(
        spec=replace(spec, stride_on="3x3"),
        paper=PAPER,
        summary="as torchvision has it, known as v1.5",
        departures=(V1_5,),
    )


FAMILY: Family[ResNetSpec] = Family(
    name="resnet",
    build=ResNet,
    variants={
        "resnet18": _published(RESNET18, "18 layers of basic blocks, shortcuts B"),
        "resnet18-a": _published(replace(RESNET18, shortcut="A"), "18 layers, shortcuts A"),
        "resnet18-c": _published(replace(RESNET18, shortcut="C"), "18 layers, shortcuts C"),
        "plain18": _published(replace(RESNET18, shortcut="none"), "18 layers, no shortcuts"),
        "resnet34": _published(RESNET34, "34 layers of basic blocks, shortcuts B"),
        "resnet34-a": _published(replace(RESNET34, shortcut="A"), "34 layers, shortcuts A"),
        "resnet34-c": _published(replace(RESNET34, shortcut="C"), "34 layers, shortcuts C"),
        "plain34": _published(replace(RESNET34, shortcut="none"), "34 layers, no shortcuts"),
        "resnet50": _published(RESNET50, "50 layers of bottleneck blocks"),
        "resnet50@torchvision": _v1_5(RESNET50),
        "resnet101": _published(RESNET101, "101 layers of bottleneck blocks"),
        "resnet101@torchvision": _v1_5(RESNET101),
        "resnet152": _published(RESNET152, "152 layers of bottleneck blocks"),
        "resnet152@torchvision": _v1_5(RESNET152),
    },
)
