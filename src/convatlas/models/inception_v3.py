"""Inception-v3 (Szegedy et al. 2015), arXiv:1512.00567, Table 1 and Figures 5, 6, 7, 8 and 10.

    layer                size of the input   output of a module, branch by branch
    conv 3x3/2           3@299x299
    conv 3x3             32@149x149
    conv 3x3, padded     32@147x147
    max pool 3x3/2       64@147x147
    conv 3x3             64@73x73
    conv 3x3/2           80@71x71
    conv 3x3, padded     192@35x35
    3 x Figure 5         288@35x35           1x1 64; 3x3 64; 3x3, 3x3 96; pool 64
      Figure 10          288@35x35           3x3/2 384; 3x3, 3x3/2 96; max pool 288
    4 x Figure 6         768@17x17           1x1, 1x7 7x1, 1x7 7x1 1x7 7x1, pool: 192 each
      Figure 10          768@17x17           3x3/2 320; 1x7 7x1 3x3/2 192; max pool 768
    2 x Figure 7         1280@8x8            1x1 320; 1x3|3x1 768; 3x3, 1x3|3x1 768; pool 192
    average pool         2048@8x8            dropout 0.2, dense 1000

Batch norm and ReLU follow every convolution. The auxiliary head stands on the last 17x17 map: 5x5/3
average pool, 1x1 convolution to 128, 5x5 convolution to 768, dense; it runs in training only.

From the paper: the table, the form of every module, the batch norm in the head. From the released
model (TensorFlow, inception_v3_2016_08_28), because the text leaves it to a file of its own: the
widths inside the modules and of the head, dropout, batch norm's eps, the head's loss weight 0.4.
Table 1 prints "5 x Figure 6": one more module of any width used here takes the network past the
25 million parameters that the abstract allows, so the module of Figure 10 before them is taken for
the first of the five.
The paper is silent on first weights (torch's default here) and on whether an average at the border
counts the padding (it does not in TensorFlow, nor here).

The released model does otherwise than the table: 1x1 and 3x3 convolutions and a second max pool
in place of the 3x3, 3x3/2 and 3x3 that are printed after the first pool; 5x5 in a branch of
Figure 5; 7x1 before 1x7 in the deep branch of Figure 6. `inception_v3@torchvision` is that model.
Knob in the paper: the head (section 4).
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.layers.inception import Side, average_branch, chain, convolution
from convatlas.models.family import Family, Paper, Variant

ROW, COLUMN = (1, 7), (7, 1)  # heights and widths of Figure 6, n = 7
DEEP_WIDTHS = (128, 160, 160, 192)  # inside the four modules of Figure 6, released model


@dataclass(frozen=True, slots=True, kw_only=True)
class InceptionV3Spec:
    """Table 1; the first five fields say how the released network differs from it."""

    stem: Literal["table 1", "released"] = "table 1"
    second_branch: Literal[3, 5] = 3  # kernel in the second branch at 35x35; Figure 5 has 3
    deep_branch: Literal["1x7 first", "7x1 first"] = "1x7 first"  # of Figure 6
    count_padding: bool = False  # in the averages of the pool branches
    weights: Literal["torch", "torchvision"] = "torch"  # how they are first drawn
    auxiliary: bool = True
    auxiliary_weight: float = 0.4  # of the head's loss
    dropout: float = 0.2
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 299

    def __post_init__(self) -> None:
        if self.fits(self.image_size):
            return
        smallest = next(size for size in range(1, 300) if self.fits(size))
        head = " with its auxiliary head" if self.auxiliary else ""
        raise UserError(
            f"inception_v3{head} cannot take pictures of {self.image_size}x{self.image_size}; "
            f"it accepts {smallest}x{smallest} and larger"
        )

    def size_17(self, size: int) -> int:
        """Height and width of the maps that are 17x17 for pictures of 299x299."""
        stem = ((size - 1) // 2 - 2 - 1) // 2 - 2
        return ((stem - 1) // 2 - 1) // 2

    def fits(self, size: int) -> bool:
        """Whether the last reduction, and the head's 5x5 pool, find a window to read."""
        return self.size_17(size) >= (5 if self.auxiliary else 3)

    @property
    def head_kernel(self) -> int:
        """Kernel of the head's second convolution: 5, or the whole map where it is smaller."""
        return min(5, (self.size_17(self.image_size) - 5) // 3 + 1)


class Outputs(NamedTuple):
    """What the network returns in training: the scores, and those of the auxiliary head."""

    logits: Tensor
    auxiliary: Tensor


def figure_5(spec: InceptionV3Spec, c_in: int, pool: int = 64) -> Side:
    """The module at 35x35: 5x5 convolutions as two of 3x3."""
    return Side(
        chain(c_in, (1, 64)),
        chain(c_in, (1, 48), (spec.second_branch, 64)),
        chain(c_in, (1, 64), (3, 96), (3, 96)),
        average_branch(c_in, pool, count_padding=spec.count_padding),
    )


def figure_6(spec: InceptionV3Spec, inner: int) -> Side:
    """The module at 17x17: 7x7 convolutions as 1x7 and 7x1."""
    first, second = (ROW, COLUMN) if spec.deep_branch == "1x7 first" else (COLUMN, ROW)
    deep = ((first, inner), (second, inner), (first, inner), (second, 192))
    return Side(
        chain(768, (1, 192)),
        chain(768, (1, inner), (ROW, inner), (COLUMN, 192)),
        chain(768, (1, inner), *deep),
        average_branch(768, 192, count_padding=spec.count_padding),
    )


def figure_7(spec: InceptionV3Spec, c_in: int) -> Side:
    """The module at 8x8: 3x3 convolutions as 1x3 beside 3x1, which widens the output."""

    def fan() -> Side:
        return Side(convolution(384, 384, (1, 3)), convolution(384, 384, (3, 1)))

    return Side(
        chain(c_in, (1, 320)),
        nn.Sequential(*chain(c_in, (1, 384)), fan()),
        nn.Sequential(*chain(c_in, (1, 448), (3, 384)), fan()),
        average_branch(c_in, 192, count_padding=spec.count_padding),
    )


def reduction_to_17() -> Side:
    """Figure 10 after 35x35: strided convolutions beside a pool, so that no map is lost."""
    return Side(
        chain(288, (3, 384), end="halving"),
        chain(288, (1, 64), (3, 96), (3, 96), end="halving"),
        nn.MaxPool2d(3, 2),
    )


def reduction_to_8() -> Side:
    """Figure 10 after 17x17."""
    return Side(
        chain(768, (1, 192), (3, 320), end="halving"),
        chain(768, (1, 192), (ROW, 192), (COLUMN, 192), (3, 192), end="halving"),
        nn.MaxPool2d(3, 2),
    )


def stem(spec: InceptionV3Spec) -> nn.Sequential:
    """The rows before the first module, as printed or as released."""
    start = (
        convolution(spec.in_channels, 32, 3, 2, padded=False),
        convolution(32, 32, 3, padded=False),
        convolution(32, 64, 3),
        nn.MaxPool2d(3, 2),
    )
    printed = (
        convolution(64, 80, 3, padded=False),
        convolution(80, 192, 3, 2, padded=False),
        convolution(192, 288, 3),
    )
    released = (
        convolution(64, 80, 1),
        convolution(80, 192, 3, padded=False),
        nn.MaxPool2d(3, 2),
    )
    return nn.Sequential(*start, *(printed if spec.stem == "table 1" else released))


def stage_35(spec: InceptionV3Spec) -> nn.Sequential:
    """Three modules of Figure 5; the released stem ends in 192 maps and grows to 288 here."""
    if spec.stem == "table 1":
        return nn.Sequential(*(figure_5(spec, 288) for _ in range(3)))
    return nn.Sequential(figure_5(spec, 192, pool=32), figure_5(spec, 256), figure_5(spec, 288))


def auxiliary(spec: InceptionV3Spec) -> nn.Sequential:
    """Figure 8, with batch norm on its convolutions too (section 4)."""
    return nn.Sequential(
        nn.AvgPool2d(5, 3),
        convolution(768, 128, 1),
        convolution(128, 768, spec.head_kernel, padded=False),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Linear(768, spec.num_classes),
    )


class InceptionV3(nn.Module):
    """Stem, modules at 35x35, 17x17 and 8x8, head; and an auxiliary head for training."""

    def __init__(self, spec: InceptionV3Spec) -> None:
        super().__init__()
        self.stem = stem(spec)
        self.stage35 = stage_35(spec)
        self.stage17 = nn.Sequential(
            reduction_to_17(), *(figure_6(spec, inner) for inner in DEEP_WIDTHS)
        )
        self.auxiliary = auxiliary(spec) if spec.auxiliary else None
        self.stage8 = nn.Sequential(reduction_to_8(), figure_7(spec, 1280), figure_7(spec, 2048))
        self.head = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Dropout(spec.dropout), nn.Flatten()),
            nn.Linear(2048, spec.num_classes),
        )
        if spec.weights == "torchvision":
            self.draw_weights()

    def draw_weights(self) -> None:
        """Normal with deviation 0.1; 0.01 and 0.001 in the last two layers of the head."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.1)
        if self.auxiliary is not None:
            nn.init.trunc_normal_(self.auxiliary.get_parameter("2.0.weight"), std=0.01)
            nn.init.trunc_normal_(self.auxiliary.get_parameter("5.weight"), std=0.001)

    def forward(self, x: Tensor) -> Tensor | Outputs:
        """(N, C, H, W) to scores, (N, num_classes); in training with those of the head."""
        x = self.stage17(self.stage35(self.stem(x)))
        logits = self.head(self.stage8(x))
        if self.auxiliary is None or not self.training:
            return logits
        return Outputs(logits, self.auxiliary(x))


PAPER = Paper(
    authors="Szegedy, Vanhoucke, Ioffe, Shlens, Wojna",
    title="Rethinking the Inception architecture for computer vision",
    year=2015,
    where="arXiv:1512.00567; CVPR 2016",
)

FAMILY: Family[InceptionV3Spec] = Family(
    name="inception_v3",
    build=InceptionV3,
    variants={
        "inception_v3": Variant(
            spec=InceptionV3Spec(),
            paper=PAPER,
            summary="Table 1 as printed: factorised convolutions and a head with batch norm",
            departures=(
                "widths inside modules and head are the released model's; the text has none",
                "four modules at 17x17, the reduction before them taken for the fifth of Table 1",
            ),
        ),
        "inception_v3@torchvision": Variant(
            spec=InceptionV3Spec(
                stem="released",
                second_branch=5,
                deep_branch="7x1 first",
                count_padding=True,
                weights="torchvision",
                dropout=0.5,
            ),
            paper=PAPER,
            summary="the released model as torchvision has it",
            departures=(
                "1x1 and 3x3 convolutions and a max pool where Table 1 prints 3x3, 3x3/2 and 3x3",
                "a 5x5 convolution in each module at 35x35; Figure 5 has two branches of 3x3",
                "7x1 before 1x7 in the deep branch at 17x17",
                "averages at the border count the padding, which the authors' own code does not",
                "dropout 0.5 instead of 0.2",
            ),
        ),
    },
)
