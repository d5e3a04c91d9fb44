"""Pre-activation ResNet (He, Zhang, Ren, Sun 2016), arXiv:1603.05027, "Identity mappings".

    CIFAR, depth   110            164 and 1001           ImageNet  200
    first          3x3, 16        3x3, 16                          7x7, 64, stride 2, max pool 3x3
    32x32          basic 16       bottleneck 16-64       56x56     bottleneck 64-256     x3
    16x16          basic 32       bottleneck 32-128      28x28     bottleneck 128-512    x24
    8x8            basic 64       bottleneck 64-256      14x14     bottleneck 256-1024   x36
                   x18 each       x18 and x111 each      7x7       bottleneck 512-2048   x3
                   batch norm, ReLU, global average pool, dense

    unit = x + F(x), where batch norm and ReLU stand before each convolution of F (Figure 4e).

In the first unit they follow conv1 and act on both paths, and one more pair follows the last sum
(appendix). Where the shape changes they act on both paths too, and the shortcut is a bare 1x1
convolution: so the authors' code, which has the stride on the first 1x1. The 110 layers keep the
shortcuts A of the 2015 network. Weights as He et al. 2015, as in that code.
Knobs in the paper: the kind of unit and the depth. Departures: none.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from convatlas.layers.residual import padded_where_needed
from convatlas.layers.staged import (
    StagedNet,
    cifar_stem,
    draw_he,
    imagenet_stem,
    pooled_head,
    refuse_smaller,
)
from convatlas.models.family import Family, Paper, Variant

Place = Literal["first of all", "first of its stage", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreActSpec:
    """The kind of unit, the width of each stage's 3x3 convolutions, and its number of units."""

    kind: Literal["basic", "bottleneck"]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    stem: Literal["cifar", "imagenet"] = "cifar"
    num_classes: int = 10
    in_channels: int = 3
    image_size: int = 32

    def __post_init__(self) -> None:
        refuse_smaller(self.image_size, 1)

    @property
    def c_outs(self) -> tuple[int, ...]:
        """Maps that each stage gives."""
        return tuple((4 if self.kind == "bottleneck" else 1) * width for width in self.widths)


class Sum(nn.Module):
    """Equation 1 with f the identity: h(x) + F(x)."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, c_out, H/stride, W/stride), rounded up."""
        return self.shortcut(x) + self.branch(x)


def convolutions(kind: str, c_in: int, c_out: int, stride: int) -> dict[str, nn.Module]:
    """The convolutions of F, with batch norm and ReLU before every one but the first."""
    width = c_out // 4
    plan = (  # of each convolution: maps in, maps out, kernel, stride
        ((c_in, c_out, 3, stride), (c_out, c_out, 3, 1))
        if kind == "basic"
        else ((c_in, width, 1, stride), (width, width, 3, 1), (width, c_out, 1, 1))
    )
    parts: dict[str, nn.Module] = {}
    for number, (into, out, kernel, step) in enumerate(plan, 1):
        if number > 1:
            parts |= {f"norm{number}": nn.BatchNorm2d(into), f"relu{number}": nn.ReLU()}
        parts[f"conv{number}"] = nn.Conv2d(into, out, kernel, step, kernel // 2, bias=False)
    return parts


def shortcut(kind: str, c_in: int, c_out: int, stride: int) -> nn.Module:
    """The identity; where the shape changes, option A for basic units and a 1x1 for bottlenecks."""
    if kind == "basic":
        return padded_where_needed(c_in, c_out, stride)
    same = c_in == c_out and stride == 1
    return nn.Identity() if same else nn.Conv2d(c_in, c_out, 1, stride=stride, bias=False)


def unit(kind: str, c_in: int, c_out: int, stride: int, place: Place) -> nn.Module:
    """One residual unit; its first batch norm and ReLU act on F alone only ``within`` a stage."""
    activation: dict[str, nn.Module] = {"norm1": nn.BatchNorm2d(c_in), "relu1": nn.ReLU()}
    convs = convolutions(kind, c_in, c_out, stride)
    carried = shortcut(kind, c_in, c_out, stride)
    if place == "within":
        return Sum(nn.Sequential(OrderedDict(activation | convs)), carried)
    both = Sum(nn.Sequential(OrderedDict(convs)), carried)
    if place == "first of all":  # the stem has activated it
        return both
    return nn.Sequential(OrderedDict(**activation, sum=both))


def units(spec: PreActSpec, c_in: int) -> list[nn.Sequential]:
    """The stages; every one but the first halves the map."""
    made = []
    for number, (c_out, depth) in enumerate(zip(spec.c_outs, spec.depths, strict=True)):
        place: Place = "first of its stage" if number else "first of all"
        blocks = [unit(spec.kind, c_in, c_out, 2 if number else 1, place)]
        blocks += [unit(spec.kind, c_out, c_out, 1, "within") for _ in range(depth - 1)]
        made.append(nn.Sequential(OrderedDict((f"unit{i}", u) for i, u in enumerate(blocks, 1))))
        c_in = c_out
    return made


class PreActResNet(StagedNet):
    """conv1 with its activation, the stages, the last activation with the head."""

    def __init__(self, spec: PreActSpec) -> None:
        c_in, c_out = spec.widths[0], spec.c_outs[-1]
        cifar = spec.stem == "cifar"
        super().__init__(
            stem=cifar_stem(spec.in_channels, c_in) if cifar else imagenet_stem(spec.in_channels),
            stages=units(spec, c_in),
            head=nn.Sequential(
                OrderedDict(
                    norm=nn.BatchNorm2d(c_out),
                    relu=nn.ReLU(),
                    **dict(pooled_head(c_out, spec.num_classes).named_children()),
                )
            ),
        )
        draw_he(self)


PAPER = Paper(
    authors="He, Zhang, Ren, Sun",
    title="Identity mappings in deep residual networks",
    year=2016,
    where="ECCV 2016; arXiv:1603.05027",
)
CIFAR = (16, 32, 64)


def _bottlenecks(n: int) -> Variant[PreActSpec]:
    return Variant(
        spec=PreActSpec(kind="bottleneck", widths=CIFAR, depths=(n, n, n)),
        paper=PAPER,
        summary=f"{9 * n + 2} layers of pre-activation bottlenecks",
    )


FAMILY: Family[PreActSpec] = Family(
    name="preact-resnet",
    build=PreActResNet,
    variants={
        "preact-resnet110-cifar": Variant(
            spec=PreActSpec(kind="basic", widths=CIFAR, depths=(18, 18, 18)),
            paper=PAPER,
            summary="110 layers of basic pre-activation units, shortcuts A",
        ),
        "preact-resnet164-cifar": _bottlenecks(18),
        "preact-resnet1001-cifar": _bottlenecks(111),
        "preact-resnet200": Variant(
            spec=PreActSpec(
                kind="bottleneck",
                widths=(64, 128, 256, 512),
                depths=(3, 24, 36, 3),
                stem="imagenet",
                num_classes=1000,
                image_size=224,
            ),
            paper=PAPER,
            summary="200 layers of pre-activation bottlenecks, for ImageNet",
        ),
    },
)
