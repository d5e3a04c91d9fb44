"""GoogLeNet (Szegedy et al. 2014), arXiv:1409.4842, Table 1 and Figure 3.

    layer           size        1x1  3x3 reduce  3x3  5x5 reduce  5x5  pool projection
    conv 7x7/2      64@112x112
    max pool 3x3/2  64@56x56    then response norm
    conv 3x3        192@56x56              64    192  then response norm
    max pool 3x3/2  192@28x28
    3a              256@28x28    64        96    128      16       32        32
    3b              480@28x28   128       128    192      32       96        64
    max pool 3x3/2  480@14x14
    4a              512@14x14   192        96    208      16       48        64   first head
    4b              512@14x14   160       112    224      24       64        64
    4c              512@14x14   128       128    256      24       64        64
    4d              528@14x14   112       144    288      32       64        64   second head
    4e              832@14x14   256       160    320      32      128       128
    max pool 3x3/2  832@7x7
    5a              832@7x7     256       160    320      32      128       128
    5b              1024@7x7    384       192    384      48      128       128
    average pool    1024@1x1    dropout 0.4, dense 1000

ReLU follows every convolution. An auxiliary head (section 5) is a 5x5/3 average pool, a 1x1
convolution to 128, dense 1024, dropout 0.7, dense 1000; its loss counts 0.3. Heads only train.
Knob in the paper: the heads, which its CVPR text finds worth about 0.5 %.

The table's column of parameters disagrees with its own widths in 4a, 4c, 4d, 4e, 5a and 5b, and its
first row (2.7K, 34M) with the plain 7x7 convolution of Figure 3, which is what is built here.
Two things the paper leaves out. The constants of response norm are those of Krizhevsky et al.
(2012). The first weights are those of Caffe's bvlc_googlenet: uniform in ±sqrt(3 / fan-in), biases
0.2, and 0 before a softmax; torch's default would let no signal through twenty layers of ReLU.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

Widths = tuple[int, int, int, int, int, int]  # a row of the table from 1x1 to pool projection


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogLeNetSpec:
    """Table 1; the first five fields say how torchvision's network differs from it."""

    batch_norm: bool = False  # in place of biases and of response norm
    kernel_5x5: Literal[3, 5] = 5  # of the branch that the table calls 5x5
    last_pool: Literal[2, 3] = 3  # of the max pool between 4e and 5a
    head_pool: Literal["5x5/3", "to 4x4"] = "5x5/3"
    weights: Literal["caffe", "torchvision"] = "caffe"  # how they are first drawn
    auxiliary: bool = True
    auxiliary_weight: float = 0.3  # of each head's loss (section 5)
    auxiliary_dropout: float = 0.7
    dropout: float = 0.4
    num_classes: int = 1000
    in_channels: int = 3
    image_size: int = 224

    def __post_init__(self) -> None:
        if self.fits(self.image_size):
            return
        smallest = next(size for size in range(1, 225) if self.fits(size))
        heads = " with its auxiliary heads" if self.auxiliary else ""
        raise UserError(
            f"googlenet{heads} cannot take pictures of {self.image_size}x{self.image_size}; "
            f"it accepts {smallest}x{smallest} and larger"
        )

    def size_4(self, size: int) -> int:
        """Height and width of the maps of stage 4: a quarter of a quarter."""
        return (size + 1) // 2 // 2 // 2 // 2

    def fits(self, size: int) -> bool:
        """Whether every pool, those of the heads included, finds something to pool."""
        head = 5 if self.auxiliary and self.head_pool == "5x5/3" else 1
        return self.size_4(size) >= max(head, self.last_pool - 1)

    @property
    def head_inputs(self) -> int:
        """Numbers that the first dense layer of an auxiliary head reads."""
        side = 4 if self.head_pool == "to 4x4" else (self.size_4(self.image_size) - 5) // 3 + 1
        return 128 * side**2


class Outputs(NamedTuple):
    """What the network returns in training: the scores, and those of the heads on 4a and 4d."""

    logits: Tensor
    auxiliary_4a: Tensor
    auxiliary_4d: Tensor


def convolution(
    spec: GoogLeNetSpec, c_in: int, c_out: int, kernel: int, stride: int = 1
) -> nn.Sequential:
    """Convolution that keeps the size, then batch norm in torchvision's form, then ReLU."""
    parts: list[nn.Module] = [
        nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=not spec.batch_norm)
    ]
    parts += [nn.BatchNorm2d(c_out, eps=0.001)] if spec.batch_norm else []
    return nn.Sequential(*parts, nn.ReLU())


def halve(kernel: int = 3) -> nn.MaxPool2d:
    """The table's max pools: 112 to 56 by 3x3/2 takes one more pixel than there is."""
    return nn.MaxPool2d(kernel, stride=2, ceil_mode=True)


def response_norm() -> nn.LocalResponseNorm:
    """b = a / (2 + 1e-4 * sum of squares of 5 maps)^0.75; torch divides its alpha by 5."""
    return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)


class Inception(nn.Module):
    """Four branches side by side: 1x1; 1x1, 3x3; 1x1, 5x5; pool, 1x1 (Figure 2b)."""

    def __init__(self, spec: GoogLeNetSpec, c_in: int, widths: Widths) -> None:
        super().__init__()
        one, reduce_3, three, reduce_5, five, projection = widths
        self.branch1x1 = convolution(spec, c_in, one, 1)
        self.branch3x3 = nn.Sequential(
            convolution(spec, c_in, reduce_3, 1), convolution(spec, reduce_3, three, 3)
        )
        self.branch5x5 = nn.Sequential(
            convolution(spec, c_in, reduce_5, 1), convolution(spec, reduce_5, five, spec.kernel_5x5)
        )
        self.branch_pool = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1), convolution(spec, c_in, projection, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, c_in, H, W) to (N, sum of the branches, H, W)."""
        branches = (self.branch1x1, self.branch3x3, self.branch5x5, self.branch_pool)
        return torch.cat([branch(x) for branch in branches], 1)


def stem(spec: GoogLeNetSpec) -> nn.Sequential:
    """Everything before 3a: three convolutions, two pools, two response norms."""
    norm = nn.Identity if spec.batch_norm else response_norm
    return nn.Sequential(
        convolution(spec, spec.in_channels, 64, 7, stride=2),
        *(halve(), norm()),
        convolution(spec, 64, 64, 1),
        convolution(spec, 64, 192, 3),
        *(norm(), halve()),
    )


def auxiliary(spec: GoogLeNetSpec, c_in: int) -> nn.Sequential:
    """Section 5: pool, 1x1 convolution, two dense layers with dropout between."""
    pool = nn.AvgPool2d(5, 3) if spec.head_pool == "5x5/3" else nn.AdaptiveAvgPool2d(4)
    return nn.Sequential(
        pool,
        convolution(spec, c_in, 128, 1),
        nn.Flatten(),
        *(nn.Linear(spec.head_inputs, 1024), nn.ReLU(), nn.Dropout(spec.auxiliary_dropout)),
        nn.Linear(1024, spec.num_classes),
    )


class GoogLeNet(nn.Module):
    """The stem, nine inception blocks, one dense layer, and two heads for training."""

    def __init__(self, spec: GoogLeNetSpec) -> None:
        super().__init__()
        self.stem = stem(spec)
        self.inception3a = Inception(spec, 192, (64, 96, 128, 16, 32, 32))
        self.inception3b = Inception(spec, 256, (128, 128, 192, 32, 96, 64))
        self.pool3 = halve()
        self.inception4a = Inception(spec, 480, (192, 96, 208, 16, 48, 64))
        self.inception4b = Inception(spec, 512, (160, 112, 224, 24, 64, 64))
        self.inception4c = Inception(spec, 512, (128, 128, 256, 24, 64, 64))
        self.inception4d = Inception(spec, 512, (112, 144, 288, 32, 64, 64))
        self.inception4e = Inception(spec, 528, (256, 160, 320, 32, 128, 128))
        self.pool4 = halve(spec.last_pool)
        self.inception5a = Inception(spec, 832, (256, 160, 320, 32, 128, 128))
        self.inception5b = Inception(spec, 832, (384, 192, 384, 48, 128, 128))
        self.auxiliary_4a = auxiliary(spec, 512) if spec.auxiliary else None
        self.auxiliary_4d = auxiliary(spec, 528) if spec.auxiliary else None
        self.head = nn.Sequential(
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(spec.dropout)),
            nn.Linear(1024, spec.num_classes),
        )
        self.draw_weights(spec)

    def draw_weights(self, spec: GoogLeNetSpec) -> None:
        """Caffe's "xavier" (see above), or torchvision's normal with deviation 0.01."""
        for layer in self.modules():
            if not isinstance(layer, nn.Conv2d | nn.Linear):
                continue
            if spec.weights == "torchvision":
                nn.init.trunc_normal_(layer.weight, std=0.01)
                continue
            bound = math.sqrt(3 / layer.weight[0].numel())
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.constant_(layer.get_parameter("bias"), 0.2)
        for part in (self.auxiliary_4a, self.auxiliary_4d, self.head):
            if part is not None:
                nn.init.zeros_(part[-1].get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor | Outputs:
        """(N, C, H, W) to scores, (N, num_classes); in training with the scores of the heads."""
        x = self.inception3b(self.inception3a(self.stem(x)))
        after_4a = self.inception4a(self.pool3(x))
        after_4d = self.inception4d(self.inception4c(self.inception4b(after_4a)))
        x = self.pool4(self.inception4e(after_4d))
        logits = self.head(self.inception5b(self.inception5a(x)))
        if self.auxiliary_4a is None or self.auxiliary_4d is None or not self.training:
            return logits
        return Outputs(logits, self.auxiliary_4a(after_4a), self.auxiliary_4d(after_4d))


PAPER = Paper(
    authors="Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich",
    title="Going deeper with convolutions",
    year=2014,
    where="arXiv:1409.4842; CVPR 2015",
)

FAMILY: Family[GoogLeNetSpec] = Family(
    name="googlenet",
    build=GoogLeNet,
    variants={
        "googlenet": Variant(
            spec=GoogLeNetSpec(),
            paper=PAPER,
            summary="nine inception blocks, 5x5 branches, response norm, two auxiliary heads",
            departures=(
                "response norm has the constants of Krizhevsky et al. (2012); the paper gives none",
                "first weights as in Caffe's bvlc_googlenet; the paper does not describe them",
            ),
        ),
        "googlenet@torchvision": Variant(
            spec=GoogLeNetSpec(
                batch_norm=True,
                kernel_5x5=3,
                last_pool=2,
                head_pool="to 4x4",
                weights="torchvision",
                dropout=0.2,
            ),
            paper=PAPER,
            summary="torchvision's network: batch norm, and 3x3 where the paper has 5x5",
            departures=(
                "batch norm (eps 0.001) after every convolution, no biases, no response norm",
                "3x3 instead of 5x5 convolutions in the third branch",
                "max pool 2x2/2 instead of 3x3/2 before 5a",
                "the heads average over 4x4 cells instead of 5x5/3 windows",
                "dropout 0.2 instead of 0.4",
            ),
        ),
    },
)
