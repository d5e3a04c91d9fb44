"""MobileNet (Howard et al. 2017), arXiv:1704.04861, Table 1.

    stage   blocks                                      size at 224
    stem    3x3-32, stride 2                            32@112x112
    stage1  64                                          64@112x112
    stage2  128 at stride 2, 128                        128@56x56
    stage3  256 at stride 2, 256                        256@28x28
    stage4  512 at stride 2, five times 512             512@14x14
    stage5  1024 at stride 2, 1024                      1024@7x7
    head    average of the map, dense                   1000

A block is a 3x3 convolution of every map by itself (depthwise), which bears the stride, then 1x1
over the maps (pointwise); batch norm and ReLU after both (Figure 3). Table 1 prints stride 2 at the
last depthwise layer as well, but 7x7 maps before and after it: it is 1.

Knobs in the paper: the width multiplier, which thins every layer (section 3.3); the resolution
multiplier, which is the size of the picture (section 3.4); full 3x3 convolutions instead of
separable ones (Table 4). Weights: torch's default, the paper is silent.
"""

from dataclasses import dataclass, replace

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

# Table 1: the maps of every block; a stage but the first begins with stride 2.
STAGES = ((64,), (128,) * 2, (256,) * 2, (512,) * 6, (1024,) * 2)
STEM = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileNetV1Spec:
    """Table 1 with the two multipliers; ``clipped`` stops ReLU at 6, as released weights want."""

    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224
    width: float = 1.0
    separable: bool = True
    clipped: bool = False

    def __post_init__(self) -> None:
        if self.image_size < 1:
            raise UserError(
                f"a picture cannot be {self.image_size}x{self.image_size}; "
                "MobileNet accepts 1x1 and larger, 128x128 to 224x224 as published"
            )

    def thinned(self, maps: int) -> int:
        """A layer's maps under the width multiplier."""
        return round(maps * self.width)

    def activation(self) -> nn.Module:
        """ReLU, or ReLU6."""
        return nn.ReLU6() if self.clipped else nn.ReLU()


def layer(spec: MobileNetV1Spec, conv: nn.Conv2d) -> list[nn.Module]:
    """Convolution, batch norm, ReLU."""
    return [conv, nn.BatchNorm2d(conv.out_channels), spec.activation()]


def block(spec: MobileNetV1Spec, c_in: int, c_out: int, stride: int) -> nn.Sequential:
    """Depthwise, then pointwise; or one full convolution (Table 4)."""
    if not spec.separable:
        return nn.Sequential(*layer(spec, nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)))
    depthwise = nn.Conv2d(c_in, c_in, 3, stride, 1, groups=c_in, bias=False)
    pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)
    return nn.Sequential(*layer(spec, depthwise), *layer(spec, pointwise))


class MobileNetV1(nn.Module):
    """Stem, five stages, head."""

    def __init__(self, spec: MobileNetV1Spec) -> None:
        super().__init__()
        c_in = spec.thinned(STEM)
        stem = nn.Conv2d(spec.in_channels, c_in, 3, stride=2, padding=1, bias=False)
        self.stem = nn.Sequential(*layer(spec, stem))
        self.stages = nn.Sequential()
        for number, widths in enumerate(STAGES, start=1):
            stage = nn.Sequential()
            for position, maps in enumerate(widths):
                stride = 2 if position == 0 and number > 1 else 1
                stage.append(block(spec, c_in, spec.thinned(maps), stride))
                c_in = spec.thinned(maps)
            self.stages.add_module(f"stage{number}", stage)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, spec.num_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        return self.head(self.stages(self.stem(x)))


PAPER = Paper(
    authors="Howard, Zhu, Chen, Kalenichenko, Wang, Weyand, Andreetto, Adam",
    title="MobileNets: efficient convolutional neural networks for mobile vision applications",
    year=2017,
    where="arXiv:1704.04861",
)


def published(spec: MobileNetV1Spec, summary: str) -> Variant[MobileNetV1Spec]:
    """A network of Tables 4, 6 or 7."""
    return Variant(spec=spec, paper=PAPER, summary=summary)


FULL = MobileNetV1Spec()

FAMILY = Family(
    name="mobilenet_v1",
    build=MobileNetV1,
    variants={
        "mobilenet_v1": published(FULL, "thirteen depthwise-separable blocks"),
        **{
            f"mobilenet_v1-{width}": published(
                replace(FULL, width=width), f"{width} times as many maps in every layer"
            )
            for width in (0.75, 0.5, 0.25)
        },
        **{
            f"mobilenet_v1-{size}": published(
                replace(FULL, image_size=size), f"on pictures of {size}x{size}"
            )
            for size in (192, 160, 128)
        },
        "mobilenet_v1-conv": published(
            replace(FULL, separable=False), "Table 4: full 3x3 convolutions instead of separable"
        ),
        "mobilenet_v1@timm": Variant(
            spec=replace(FULL, clipped=True),
            paper=PAPER,
            summary="as timm has it",
            departures=("ReLU6 instead of ReLU",),
        ),
    },
)
