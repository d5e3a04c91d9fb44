"""VGG (Simonyan, Zisserman 2014), arXiv:1409.1556, Table 1.

    row    maps      A      A-LRN   B      C        D        E
    1      64        3      3 norm  3 3    3 3      3 3      3 3
    2      128       3      3       3 3    3 3      3 3      3 3
    3      256       3 3    3 3     3 3    3 3 1    3 3 3    3 3 3 3
    4      512       3 3    3 3     3 3    3 3 1    3 3 3    3 3 3 3
    5      512       3 3    3 3     3 3    3 3 1    3 3 3    3 3 3 3
    dense            4096, 4096 and 1000 units
    million weights  133    133     133    134      138      144

A number is a kernel size; ReLU after every layer but the last, maximum of 2x2 after every row,
dropout 0.5 on the first two dense layers.

Knobs in the paper: none. Section 3.1 draws the weights of A from N(0, variance 0.01) and starts
the deeper columns from A's; with that variance the scores of A come out in the millions, so the
figure can hardly be meant as printed. The same section ends on the rule of Glorot & Bengio (2010)
as one that trains every column without a start from A: it is used here, all biases zero.

The batch-norm forms are torchvision's; the paper has none.
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

MAPS, HIDDEN = (64, 128, 256, 512, 512), 4096  # Table 1

Kernels = tuple[tuple[int, ...], ...]
A: Kernels = ((3,), (3,), (3, 3), (3, 3), (3, 3))
B: Kernels = ((3, 3),) * 5
C: Kernels = ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1))
D: Kernels = ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3))
E: Kernels = ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3))


@dataclass(frozen=True, slots=True, kw_only=True)
class VGGSpec:
    """One column of Table 1: the kernel sizes of each of its five rows."""

    kernels: Kernels
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224
    dropout: float = 0.5
    norm: Literal["none", "response", "batch"] = "none"
    profile: Literal["paper", "torchvision"] = "paper"

    def __post_init__(self) -> None:
        if self.image_size < 32:
            raise UserError(
                f"VGG's five pools leave nothing of a {self.image_size}x{self.image_size} picture; "
                "it accepts 32x32 and larger (vgg15-cifar any size)"
            )


def row(spec: VGGSpec, number: int) -> nn.Sequential:
    """One row of the table: convolutions with ReLU, then the pool."""
    c_in, c_out = (spec.in_channels, *MAPS)[number : number + 2]
    parts: list[nn.Module] = []
    for kernel in spec.kernels[number]:
        parts += [nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2)]
        parts += [nn.BatchNorm2d(c_out)] if spec.norm == "batch" else []
        parts += [nn.ReLU()]
        c_in = c_out
    if spec.norm == "response" and number == 0:
        # AlexNet's constants; torch divides alpha by the size of the neighbourhood, AlexNet not
        parts += [nn.LocalResponseNorm(5, alpha=5 * 1e-4, beta=0.75, k=2.0)]
    return nn.Sequential(*parts, nn.MaxPool2d(2))


def convolutional(spec: VGGSpec) -> nn.Sequential:
    """The five rows."""
    rows = ((f"row{number + 1}", row(spec, number)) for number in range(len(MAPS)))
    return nn.Sequential(OrderedDict[str, nn.Module](rows))


def dense(spec: VGGSpec) -> nn.Sequential:
    """The last three rows of the table; torchvision averages any map to 7x7 first."""
    adaptive = spec.profile == "torchvision"
    size = 7 if adaptive else spec.image_size // 32
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            [
                *([("resize", nn.AdaptiveAvgPool2d(7))] if adaptive else []),
                ("flatten", nn.Flatten()),
                *(("fc1", nn.Linear(MAPS[-1] * size**2, HIDDEN)), ("relu1", nn.ReLU())),
                ("drop1", nn.Dropout(spec.dropout)),
                *(("fc2", nn.Linear(HIDDEN, HIDDEN)), ("relu2", nn.ReLU())),
                ("drop2", nn.Dropout(spec.dropout)),
                ("fc3", nn.Linear(HIDDEN, spec.num_classes)),
            ]
        )
    )


class VGG(nn.Module):
    """The five rows, then the dense layers."""

    def __init__(self, spec: VGGSpec) -> None:
        super().__init__()
        self.convolutional = convolutional(spec)
        self.dense = dense(spec)
        self.draw_weights(spec.profile)

    def draw_weights(self, profile: Literal["paper", "torchvision"]) -> None:
        """Glorot's uniform rule (section 3.1), or torchvision's: He by fan-out and N(0, 0.01)."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.zeros_(layer.get_parameter("bias"))
                if profile == "paper":
                    nn.init.xavier_uniform_(layer.weight)
                elif isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                else:
                    nn.init.normal_(layer.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores, (N, num_classes)."""
        return self.dense(self.convolutional(x))


PAPER = Paper(
    authors="Simonyan, Zisserman",
    title="Very deep convolutional networks for large-scale image recognition",
    year=2014,
    where="arXiv:1409.1556",
)


def published(spec: VGGSpec, summary: str) -> Variant[VGGSpec]:
    """A column as the paper has it."""
    start = "N(0, variance 0.01)" if spec.kernels == A else "weights of vgg11"
    drawn = f"Glorot's initialisation, which section 3.1 ends on, instead of {start}"
    return Variant(spec=spec, paper=PAPER, summary=summary, departures=(drawn,))


def torchvision(kernels: Kernels, norm: Literal["none", "batch"]) -> Variant[VGGSpec]:
    """A column as torchvision has it."""
    batch = "batch norm (Ioffe & Szegedy 2015) after every convolution"
    return Variant(
        spec=VGGSpec(kernels=kernels, norm=norm, profile="torchvision"),
        paper=PAPER,
        summary=f"as torchvision has it{', with batch norm' if norm == 'batch' else ''}",
        departures=(
            *([batch] if norm == "batch" else []),
            "row 5 is averaged to 7x7, so that other input sizes run",
            "He's initialisation by fan-out for convolutions, N(0, 0.01) for dense layers",
        ),
    )


COLUMN_A = VGGSpec(kernels=A)
IN_TORCHVISION = {"vgg11": A, "vgg13": B, "vgg16": D, "vgg19": E}

FAMILY = Family(
    name="vgg",
    build=VGG,
    variants={
        "vgg11": published(COLUMN_A, "column A: eight convolutions 3x3, three dense layers"),
        "vgg11-lrn": published(
            replace(COLUMN_A, norm="response"), "column A-LRN: A with response normalisation"
        ),
        "vgg13": published(VGGSpec(kernels=B), "column B: ten convolutions 3x3"),
        "vgg16-c": published(VGGSpec(kernels=C), "column C: ten convolutions 3x3, three 1x1"),
        "vgg16": published(VGGSpec(kernels=D), "column D: thirteen convolutions 3x3"),
        "vgg19": published(VGGSpec(kernels=E), "column E: sixteen convolutions 3x3"),
        **{f"{name}-bn": torchvision(k, "batch") for name, k in IN_TORCHVISION.items()},
        **{f"{name}@torchvision": torchvision(k, "none") for name, k in IN_TORCHVISION.items()},
    },
)
