"""ResNeXt (Xie, Girshick, Dollár, Tu, He 2016), arXiv:1611.05431, Table 1 and Figure 3(c).

    stage    size      ResNet-50                 ResNeXt-50 (32x4d)
    conv1    112x112   7x7, 64, stride 2         7x7, 64, stride 2
    conv2    56x56     max pool 3x3, stride 2, then
                       1x1 64, 3x3 64, 1x1 256   1x1 128, 3x3 128 of 32 groups, 1x1 256    x3
    conv3    28x28     .. 128, 128, 512          .. 256, 256, 512                          x4
    conv4    14x14     .. 256, 256, 1024         .. 512, 512, 1024                         x6
    conv5    7x7       .. 512, 512, 2048         .. 1024, 1024, 2048                       x3
             1x1       average pool, 1000 dense

C x d: the cardinality C is the number of groups, and d the width of one in conv2; both widths
double from stage to stage. The stride is on the 3x3 (section 4), shortcuts are option B, weights
as He et al. 2015. For CIFAR (section 5.3): a 3x3 of 64 maps first, three stages of three blocks.
Knobs in the paper: depth, C, d. Departures: none.
"""

from dataclasses import dataclass

from torch import nn

from convatlas.layers.residual import Residual, bottleneck, projection_where_needed
from convatlas.layers.staged import (
    StagedNet,
    cifar_stem,
    draw_he,
    imagenet_stem,
    pooled_head,
    refuse_smaller,
    stages,
)
from convatlas.models.family import Family, Paper, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class ResNeXtSpec:
    """Blocks to a stage, cardinality C and width d of one group in the first stage."""

    depths: tuple[int, ...]
    cardinality: int
    d: int
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """Equation 3 in the form of Figure 3(c): the middle convolution has C groups."""
        width = self.cardinality * self.d * c_out // 256
        branch = bottleneck(
            c_in, c_out, stride, width=width, groups=self.cardinality, stride_on="3x3"
        )
        return Residual(branch, projection_where_needed(c_in, c_out, stride))


class ResNeXt(StagedNet):
    """conv1 with the pool (or the 3x3 for CIFAR), the stages, the head."""

    def __init__(self, spec: ResNeXtSpec) -> None:
        widths = (256, 512, 1024, 2048)[: len(spec.depths)]
        cifar = len(spec.depths) == 3
        super().__init__(
            stem=cifar_stem(spec.in_channels, 64) if cifar else imagenet_stem(spec.in_channels),
            stages=stages(spec.block, 64, widths, spec.depths),
            head=pooled_head(widths[-1], spec.num_classes),
        )
        draw_he(self)


PAPER = Paper(
    authors="Xie, Girshick, Dollár, Tu, He",
    title="Aggregated residual transformations for deep neural networks",
    year=2016,
    where="CVPR 2017; arXiv:1611.05431",
)
INSTAGRAM = Paper(
    authors="Mahajan et al.",
    title="Exploring the limits of weakly supervised pretraining",
    year=2018,
    where="ECCV 2018; arXiv:1805.00932",
)
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def _imagenet(depth: int, cardinality: int, d: int, paper: Paper = PAPER) -> Variant[ResNeXtSpec]:
    return Variant(
        spec=ResNeXtSpec(depths=DEPTHS[depth], cardinality=cardinality, d=d),
        paper=paper,
        summary=f"{depth} layers, {cardinality} groups of width {d}",
    )


def _cifar(cardinality: int, d: int) -> Variant[ResNeXtSpec]:
    return Variant(
        spec=ResNeXtSpec(
            depths=(3, 3, 3), cardinality=cardinality, d=d, num_classes=10, image_size=32
        ),
        paper=PAPER,
        summary=f"29 layers, {cardinality} groups of width {d}, for CIFAR",
    )


FAMILY: Family[ResNeXtSpec] = Family(
    name="resnext",
    build=ResNeXt,
    variants={
        "resnext50": _imagenet(50, 32, 4),
        "resnext50-2x40d": _imagenet(50, 2, 40),  # Table 2 and 3: as costly as ResNet-50
        "resnext50-4x24d": _imagenet(50, 4, 24),
        "resnext50-8x14d": _imagenet(50, 8, 14),
        "resnext101": _imagenet(101, 32, 4),
        "resnext101-2x64d": _imagenet(101, 2, 64),  # Table 4: twice as costly
        "resnext101-64x4d": _imagenet(101, 64, 4),
        "resnext101-32x8d": _imagenet(101, 32, 8, INSTAGRAM),
        "resnext29-8x64d-cifar": _cifar(8, 64),
        "resnext29-16x64d-cifar": _cifar(16, 64),
    },
)
