"""ECA-Net (Wang, Wu, Zhu, Li, Zuo, Hu 2019), arXiv:1910.03151, sections 3.2 and 4.

    size      18, 34                   50, 101, 152
    112x112   7x7, 64, stride 2
    56x56     max pool 3x3, stride 2, then blocks, each with ECA after its last batch norm
              basic 64,  k = 3         bottleneck 64-256,   k = 5
    28x28     basic 128, k = 5         bottleneck 128-512,  k = 5
    14x14     basic 256, k = 5         bottleneck 256-1024, k = 5
    7x7       basic 512, k = 5         bottleneck 512-2048, k = 7
    1x1       average pool, 1000 dense

k is equation 12 as the code of Figure 3 reads it: 86 parameters more than ResNet-50 has, where the
abstract says 80. The weights which the authors published have other k, of which 3, 5, 5, 7 does
make 80: the profiles ``@authors``. Their code has the stride on the 3x3, and the multiply-adds of
Table 3 agree. Shortcuts are option B. Weights as He et al. 2015, as in that code.
Knobs in the paper: depth, k. Departures: none.
"""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from convatlas.layers.eca import ECA
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
class ECASpec:
    """The kind of block, how many in each stage, and the kernel of ECA there."""

    kind: Literal["basic", "bottleneck"]
    depths: tuple[int, int, int, int]
    kernels: tuple[int, int, int, int] | None = None  # None: equation 12
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """y = relu(ECA(F(x)) + shortcut(x))."""
        if self.kind == "basic":
            branch = basic(c_in, c_out, stride)
        else:
            branch = bottleneck(c_in, c_out, stride, width=c_out // 4, stride_on="3x3")
        stage = WIDTHS[self.kind].index(c_out)
        kernel = self.kernels[stage] if self.kernels else None
        branch.add_module("eca", ECA(c_out, kernel=kernel))
        return Residual(branch, projection_where_needed(c_in, c_out, stride))


class ECANet(StagedNet):
    """The first convolution with the pool, four stages, the head."""

    def __init__(self, spec: ECASpec) -> None:
        widths = WIDTHS[spec.kind]
        super().__init__(
            stem=imagenet_stem(spec.in_channels),
            stages=stages(spec.block, 64, widths, spec.depths),
            head=pooled_head(widths[-1], spec.num_classes),
        )
        draw_he(self)


PAPER = Paper(
    authors="Wang, Wu, Zhu, Li, Zuo, Hu",
    title="ECA-Net: efficient channel attention for deep convolutional neural networks",
    year=2019,
    where="CVPR 2020; arXiv:1910.03151",
)
Four = tuple[int, int, int, int]


def _variant(depth: int, kind: Literal["basic", "bottleneck"], depths: Four) -> Variant[ECASpec]:
    summary = f"ResNet-{depth} with ECA in every block"
    return Variant(spec=ECASpec(kind=kind, depths=depths), paper=PAPER, summary=summary)


def _authors(depths: Four, kernels: Four) -> Variant[ECASpec]:
    return Variant(
        spec=ECASpec(kind="bottleneck", depths=depths, kernels=kernels),
        paper=PAPER,
        summary="as the authors published its weights",
        departures=(f"k = {', '.join(map(str, kernels))}; equation 12 gives 5, 5, 5, 7",),
    )


FAMILY: Family[ECASpec] = Family(
    name="eca",
    build=ECANet,
    variants={
        "eca-resnet18": _variant(18, "basic", (2, 2, 2, 2)),
        "eca-resnet34": _variant(34, "basic", (3, 4, 6, 3)),
        "eca-resnet50": _variant(50, "bottleneck", (3, 4, 6, 3)),
        "eca-resnet50@authors": _authors((3, 4, 6, 3), (3, 5, 5, 7)),
        "eca-resnet101": _variant(101, "bottleneck", (3, 4, 23, 3)),
        "eca-resnet101@authors": _authors((3, 4, 23, 3), (3, 3, 5, 7)),
        "eca-resnet152": _variant(152, "bottleneck", (3, 8, 36, 3)),
        "eca-resnet152@authors": _authors((3, 8, 36, 3), (3, 3, 5, 7)),
    },
)
