"""ResNet for CIFAR-10 (He, Zhang, Ren, Sun 2015), arXiv:1512.03385, section 4.2.

    output map   32x32    16x16   8x8
    layers       1 + 2n   2n      2n     all 3x3; the first of a stage halves the map
    filters      16       32      64
                 global average pool, 10 dense

A network has 6n + 2 layers; n = 3, 5, 7, 9, 18 and 200 give 20, 32, 44, 56, 110 and 1202. Pairs of
layers have a shortcut, 3n of them, always option A (pixels left out, zero maps added), so that a
residual network has exactly the parameters of its plain counterpart. Weights as He et al. 2015.
Knobs in the paper: n, and the shortcuts left out (plain). Departures: none.
"""

from dataclasses import dataclass

from torch import nn

from convatlas.layers.residual import Residual, basic, padded_where_needed
from convatlas.layers.staged import (
    StagedNet,
    cifar_stem,
    draw_he,
    pooled_head,
    refuse_smaller,
    stages,
)
from convatlas.models.family import Family, Paper, Variant

FILTERS = (16, 32, 64)  # the table of section 4.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CifarResNetSpec:
    """6n + 2 layers, with shortcuts or plain."""

    n: int
    residual: bool = True
    num_classes: int = 10
    in_channels: int = 3
    image_size: int = 32

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    def block(self, c_in: int, c_out: int, stride: int) -> nn.Module:
        """Two layers; a plain block is the branch with the last ReLU."""
        branch = basic(c_in, c_out, stride)
        if self.residual:
            return Residual(branch, padded_where_needed(c_in, c_out, stride))
        branch.add_module("relu", nn.ReLU())
        return branch


class CifarResNet(StagedNet):
    """The first layer, three stages of n blocks, the head."""

    def __init__(self, spec: CifarResNetSpec) -> None:
        super().__init__(
            stem=cifar_stem(spec.in_channels, FILTERS[0]),
            stages=stages(spec.block, FILTERS[0], FILTERS, (spec.n,) * 3),
            head=pooled_head(FILTERS[-1], spec.num_classes),
        )
        draw_he(self)


PAPER = Paper(
    authors="He, Zhang, Ren, Sun",
    title="Deep residual learning for image recognition",
    year=2015,
    where="CVPR 2016; arXiv:1512.03385",
)


def _residual(n: int) -> Variant[CifarResNetSpec]:
    summary = f"{6 * n + 2} layers with shortcuts A"
    return Variant(spec=CifarResNetSpec(n=n), paper=PAPER, summary=summary)


def _plain(n: int) -> Variant[CifarResNetSpec]:
    summary = f"{6 * n + 2} layers without shortcuts"
    return Variant(spec=CifarResNetSpec(n=n, residual=False), paper=PAPER, summary=summary)


FAMILY: Family[CifarResNetSpec] = Family(
    name="resnet-cifar",
    build=CifarResNet,
    variants={
        "resnet20-cifar": _residual(3),
        "resnet32-cifar": _residual(5),
        "resnet44-cifar": _residual(7),
        "resnet56-cifar": _residual(9),
        "resnet110-cifar": _residual(18),
        "resnet1202-cifar": _residual(200),
        "plain20-cifar": _plain(3),
        "plain32-cifar": _plain(5),
        "plain44-cifar": _plain(7),
        "plain56-cifar": _plain(9),
        "plain110-cifar": _plain(18),
    },
)
