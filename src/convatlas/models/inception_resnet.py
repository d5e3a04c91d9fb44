"""Inception-ResNet-v1 and v2 (Szegedy et al. 2016), arXiv:1602.07261, Figures 10 to 19.

    part           Inception-ResNet-v1                 Inception-ResNet-v2
    stem           Figure 14            256@35x35      Figure 3             384@35x35
    5 x A          Figure 10            256@35x35      Figure 16            384@35x35
                   32; 32, 3x3 32;                     32; 32, 3x3 32;
                   32, 3x3 32, 3x3 32                  32, 3x3 48, 3x3 64
    reduction A    192, 192, 256, 384   896@17x17      256, 256, 384, 384   1152@17x17
    10 x B         Figure 11            896@17x17      Figure 17            1152@17x17
                   128; 128, 1x7 128, 7x1 128          192; 128, 1x7 160, 7x1 192
    reduction B    Figure 12            1792@8x8       Figure 18            2144@8x8
                   384; 256; 256, 256                  384; 288; 288, 320
    5 x C          Figure 13            1792@8x8       Figure 19            2144@8x8
                   192; 192, 1x3 192, 3x1 192          192; 192, 1x3 224, 3x1 256
    average pool   1792@1x1                            2144@1x1
                   dropout 0.2, dense 1000             dropout 0.2, dense 1000

A module joins its branches, brings them to the width of its input by a 1x1 convolution without
activation, scales the result, adds the input, and ends in ReLU. Batch norm and ReLU follow every
other convolution; sums have no batch norm (section 3.2). Reduction A has k, l, m, n of Table 1.

Figures 17 and 19 print 1154 and 2048 for the convolution before the sum; what is added there has
1152 and 2144 maps, which are built. Section 3.3 scales by 0.1 to 0.3 without saying where; the
released 0.17, 0.10 and 0.20 (at 35x35, 17x17, 8x8) are taken for both networks.
As printed, v2 costs 9.3 G multiply-adds, not about as many as Inception-v4 (12.3 G), as section 3.2
has it; the released one, `inception_resnet_v2@timm`, has twice the modules and costs 13.2 G.
Knob in the paper: the scale. Silent, hence as in TensorFlow: eps 0.001. First weights are torch's.
"""

from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.layers.inception import Side, Step, average_branch, chain, convolution
from convatlas.models.family import Family, Paper, Variant

ROW_7, COLUMN_7, ROW_3, COLUMN_3 = (1, 7), (7, 1), (1, 3), (3, 1)  # height, width
Branches = tuple[tuple[Step, ...], ...]
STEM_WIDTHS = {"figure 3": 384, "figure 14": 256, "released": 320}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Modules of one kind: how many, their branches, and the scale of what they add."""

    depth: int
    branches: Branches
    scale: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InceptionResNetSpec:
    """One column of the table, or the released network."""

    stem: Literal["figure 3", "figure 14", "released"]
    a: Stage
    reduction_a: tuple[int, int, int, int]  # k, l, m, n of Table 1
    b: Stage
    reduction_b: tuple[int, int, int, int]  # 3x3/2; 3x3/2; 3x3, 3x3/2
    c: Stage
    closing: int | None = None  # released: last module without scale and ReLU, 1x1 to this width
    dropout: float = 0.2
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 299

    def __post_init__(self) -> None:
        if self.image_size < 75:  # leaves 3x3 for the last reduction
            raise UserError(
                f"inception_resnet cannot take pictures of {self.image_size}x{self.image_size}; "
                "it accepts 75x75 and larger"
            )

    @property
    def widths(self) -> tuple[int, int, int]:
        """Maps at 35x35, 17x17 and 8x8: a reduction adds its branches to what the pool passes."""
        _, _, m, n = self.reduction_a
        first, second, _, third = self.reduction_b
        at_35 = STEM_WIDTHS[self.stem]
        at_17 = at_35 + n + m
        return at_35, at_17, at_17 + first + second + third


class Residual(nn.Module):
    """y = relu(x + scale * expand(branches(x))), as in Figure 20."""

    def __init__(self, c_in: int, stage: Stage, *, relu: bool = True) -> None:
        super().__init__()
        joined = sum(branch[-1][1] for branch in stage.branches)
        self.branches = Side(*(chain(c_in, *branch) for branch in stage.branches))
        self.expand = nn.Conv2d(joined, c_in, 1)
        self.scale = stage.scale
        self.relu = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to the same shape."""
        return self.relu(self.expand(self.branches(x)) * self.scale + x)


def stem_3(c_in: int) -> nn.Sequential:
    """Figure 3, shared with Inception-v4."""
    return nn.Sequential(
        convolution(c_in, 32, 3, 2, padded=False),
        convolution(32, 32, 3, padded=False),
        convolution(32, 64, 3),
        Side(nn.MaxPool2d(3, 2), convolution(64, 96, 3, 2, padded=False)),
        Side(
            chain(160, (1, 64), (3, 96), end="unpadded"),
            chain(160, (1, 64), (COLUMN_7, 64), (ROW_7, 64), (3, 96), end="unpadded"),
        ),
        Side(convolution(192, 192, 3, 2, padded=False), nn.MaxPool2d(3, 2)),
    )


def stem_14(c_in: int) -> nn.Sequential:
    """Figure 14."""
    return nn.Sequential(*stem_to_71(c_in), convolution(192, 256, 3, 2, padded=False))


def stem_released(c_in: int) -> nn.Sequential:
    """Figure 14 with a pool in place of its last convolution, then a module as in Inception-v3."""
    return nn.Sequential(
        *stem_to_71(c_in),
        nn.MaxPool2d(3, 2),
        Side(
            convolution(192, 96, 1),
            chain(192, (1, 48), (5, 64)),
            chain(192, (1, 64), (3, 96), (3, 96)),
            average_branch(192, 64),
        ),
    )


def stem_to_71(c_in: int) -> tuple[nn.Module, ...]:
    """Figure 14 but for its last convolution: 192 maps of 71x71."""
    return (
        convolution(c_in, 32, 3, 2, padded=False),
        convolution(32, 32, 3, padded=False),
        convolution(32, 64, 3),
        nn.MaxPool2d(3, 2),
        convolution(64, 80, 1),
        convolution(80, 192, 3, padded=False),
    )


def reduction_a(c_in: int, widths: tuple[int, int, int, int]) -> Side:
    """Figure 7, 35x35 to 17x17."""
    k, l, m, n = widths  # noqa: E741 - the paper's letters
    return Side(
        chain(c_in, (3, n), end="halving"),
        chain(c_in, (1, k), (3, l), (3, m), end="halving"),
        nn.MaxPool2d(3, 2),
    )


def reduction_b(c_in: int, widths: tuple[int, int, int, int]) -> Side:
    """Figures 12 and 18, 17x17 to 8x8."""
    first, second, inner, third = widths
    return Side(
        chain(c_in, (1, 256), (3, first), end="halving"),
        chain(c_in, (1, 256), (3, second), end="halving"),
        chain(c_in, (1, 256), (3, inner), (3, third), end="halving"),
        nn.MaxPool2d(3, 2),
    )


class InceptionResNet(nn.Module):
    """Figure 15: stem, residual modules at 35x35, 17x17 and 8x8, reductions between, head."""

    def __init__(self, spec: InceptionResNetSpec) -> None:
        super().__init__()
        stems = {"figure 3": stem_3, "figure 14": stem_14, "released": stem_released}
        at_35, at_17, at_8 = spec.widths
        self.stem = stems[spec.stem](spec.in_channels)
        self.stage_a = nn.Sequential(*(Residual(at_35, spec.a) for _ in range(spec.a.depth)))
        self.reduction_a = reduction_a(at_35, spec.reduction_a)
        self.stage_b = nn.Sequential(*(Residual(at_17, spec.b) for _ in range(spec.b.depth)))
        self.reduction_b = reduction_b(at_17, spec.reduction_b)
        self.stage_c = nn.Sequential(*(Residual(at_8, spec.c) for _ in range(spec.c.depth)))
        closing = []
        if spec.closing is not None:
            self.stage_c[-1] = Residual(at_8, replace(spec.c, scale=1.0), relu=False)
            closing = [convolution(at_8, spec.closing, 1)]
        self.head = nn.Sequential(
            *closing,
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(spec.dropout)),
            nn.Linear(spec.closing or at_8, spec.num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        x = self.reduction_a(self.stage_a(self.stem(x)))
        x = self.reduction_b(self.stage_b(x))
        return self.head(self.stage_c(x))


A1: Branches = (((1, 32),), ((1, 32), (3, 32)), ((1, 32), (3, 32), (3, 32)))  # Figure 10
B1: Branches = (((1, 128),), ((1, 128), (ROW_7, 128), (COLUMN_7, 128)))  # Figure 11
C1: Branches = (((1, 192),), ((1, 192), (ROW_3, 192), (COLUMN_3, 192)))  # Figure 13
A2: Branches = (((1, 32),), ((1, 32), (3, 32)), ((1, 32), (3, 48), (3, 64)))  # Figure 16
B2: Branches = (((1, 192),), ((1, 128), (ROW_7, 160), (COLUMN_7, 192)))  # Figure 17
C2: Branches = (((1, 192),), ((1, 192), (ROW_3, 224), (COLUMN_3, 256)))  # Figure 19

V1 = InceptionResNetSpec(
    stem="figure 14",
    a=Stage(depth=5, branches=A1, scale=0.17),
    reduction_a=(192, 192, 256, 384),
    b=Stage(depth=10, branches=B1, scale=0.10),
    reduction_b=(384, 256, 256, 256),
    c=Stage(depth=5, branches=C1, scale=0.20),
)
V2 = InceptionResNetSpec(
    stem="figure 3",
    a=Stage(depth=5, branches=A2, scale=0.17),
    reduction_a=(256, 256, 384, 384),
    b=Stage(depth=10, branches=B2, scale=0.10),
    reduction_b=(384, 288, 288, 320),
    c=Stage(depth=5, branches=C2, scale=0.20),
)
RELEASED = replace(
    V2,
    stem="released",
    a=replace(V2.a, depth=10),
    b=replace(V2.b, depth=20),
    c=replace(V2.c, depth=10),
    closing=1536,
    dropout=0.0,
)

PAPER = Paper(
    authors="Szegedy, Ioffe, Vanhoucke, Alemi",
    title="Inception-v4, Inception-ResNet and the impact of residual connections on learning",
    year=2016,
    where="arXiv:1602.07261; AAAI 2017",
)
SCALES = "residuals are scaled by 0.17, 0.10 and 0.20 as released; the paper says 0.1 to 0.3"

FAMILY: Family[InceptionResNetSpec] = Family(
    name="inception_resnet",
    build=InceptionResNet,
    variants={
        "inception_resnet_v1": Variant(
            spec=V1,
            paper=PAPER,
            summary="residual Inception modules at about the cost of Inception-v3",
            departures=(SCALES,),
        ),
        "inception_resnet_v2": Variant(
            spec=V2,
            paper=PAPER,
            summary="residual Inception modules on the stem of Inception-v4",
            departures=(
                SCALES,
                "1152 and 2144 maps before the sums; Figures 17 and 19 print 1154 and 2048",
            ),
        ),
        "inception_resnet_v2@timm": Variant(
            spec=RELEASED,
            paper=PAPER,
            summary="the released model as timm has it: a larger network than the paper's",
            departures=(
                "a stem of 320 maps instead of Figure 3's 384; hence 1088 and 2080 maps later",
                "10, 20 and 10 modules instead of 5, 10 and 5",
                "the last sum is not scaled and has no ReLU; then a 1x1 convolution to 1536 maps",
                "no dropout",
            ),
        ),
    },
)
