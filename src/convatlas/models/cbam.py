"""ResNets with CBAM (Woo, Park, Lee, Kweon 2018), arXiv:1807.06521, Figure 3 and Table 4.

    size      18                34                50 and 101
    112x112   7x7, 64, stride 2
    56x56     max pool 3x3, stride 2, then blocks, each with CBAM after its last batch norm
              basic 64    x2    basic 64    x3    bottleneck 64-256      x3
    28x28     basic 128   x2    basic 128   x4    bottleneck 128-512     x4
    14x14     basic 256   x2    basic 256   x6    bottleneck 256-1024    x6 and x23
    7x7       basic 512   x2    basic 512   x3    bottleneck 512-2048    x3
    1x1       average pool, 1000 dense

CBAM is channel attention with r = 16, then spatial attention with a 7x7 convolution. The
multiply-adds of Table 4 are those of bottlenecks with the stride on the first 1x1, which is built
here (the authors' later code has it on the 3x3), and its parameters those of dense layers with
biases. Shortcuts are option B. Weights as He et al. 2015, which is the authors' code's choice too.
Knobs in the paper: depth. Departures: none.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from convatlas.layers.cbam import CBAM
from convatlas.layers.residual import Residual, basic, bottleneck, projection_where_needed
from convatlas.layers.staged import (
    StagedNet,
    draw_he,
    imagenet_stem,
    pooled_head,
    refuse_smaller,
    stages,
)
from convatlas.models.family import Family, Paper, Variant

WIDTHS = {"basic": (64, 128, 256, 512), "bottleneck": (256, 512, 1024, 2048)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CBAMSpec:
    """The kind of block and how many in each stage."""

    kind: Literal["basic", "bottleneck"]
    depths: tuple[int, int, int, int]
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """y = relu(CBAM(F(x)) + shortcut(x))."""
        if self.kind == "basic":
            branch = basic(c_in, c_out, stride)
        else:
            branch = bottleneck(c_in, c_out, stride, width=c_out // 4)
        branch.add_module("cbam", CBAM(c_out))
        return Residual(branch, projection_where_needed(c_in, c_out, stride))


class CBAMResNet(StagedNet):
    """The first convolution with the pool, four stages, the head."""

    def __init__(self, spec: CBAMSpec) -> None:
        widths = WIDTHS[spec.kind]
        super().__init__(
            stem=imagenet_stem(spec.in_channels),
            stages=stages(spec.block, 64, widths, spec.depths),
            head=pooled_head(widths[-1], spec.num_classes),
        )
        draw_he(self)


PAPER = Paper(
    authors="Woo, Park, Lee, Kweon",
    title="CBAM: convolutional block attention module",
    year=2018,
    where="ECCV 2018; arXiv:1807.06521",
)


def _variant(
    depth: int, kind: Literal["basic", "bottleneck"], depths: tuple[int, int, int, int]
) -> Variant[CBAMSpec]:
    summary = f"ResNet-{depth} with CBAM in every block"
    return Variant(spec=CBAMSpec(kind=kind, depths=depths), paper=PAPER, summary=summary)


FAMILY: Family[CBAMSpec] = Family(
    name="cbam",
    build=CBAMResNet,
    variants={
        "cbam-resnet18": _variant(18, "basic", (2, 2, 2, 2)),
        "cbam-resnet34": _variant(34, "basic", (3, 4, 6, 3)),
        "cbam-resnet50": _variant(50, "bottleneck", (3, 4, 6, 3)),
        "cbam-resnet101": _variant(101, "bottleneck", (3, 4, 23, 3)),
    },
)
