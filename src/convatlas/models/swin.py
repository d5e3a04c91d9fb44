"""Swin Transformer (Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo 2021), arXiv:2103.14030, section 3.3.

                               size     Swin-T          Swin-S          Swin-B
    patch partition, embedding 56x56    C = 96          C = 96          C = 128
    stage 1: blocks, heads     56x56    2, 3 heads      2, 3 heads      2, 4 heads
    stage 2: merging, blocks   28x28    2, 6 heads      2, 6 heads      2, 8 heads
    stage 3: merging, blocks   14x14    6, 12 heads     18, 12 heads    18, 16 heads
    stage 4: merging, blocks   7x7      2, 24 heads     2, 24 heads     2, 32 heads
    classification             1x1      layer norm, global average, dense, softmax

Windows of M = 7, heads of d = 32, hidden layers of α = 4 times the width; every second block shifts
its windows by 3 down and to the right. A merging halves the size and doubles the width.
Maps are (N, H, W, C) from the embedding to the last norm, because windows, layer norm and dense
layers all read the channels of one position; only the picture and the last average are channels
first. Maps that no number of windows covers are padded with zeros at the bottom and the right
(section 3.2), which the windows read; nothing is shifted where one window covers the map.

Knobs in the paper: widths, depths, and stochastic depth, which rises evenly to 0.2, 0.3 and 0.5
(appendix A2.1). Departures: none. Where the paper is silent, the authors' released code is
followed: matrices and tables are drawn from a normal of deviation 0.02 cut off at ±2, biases are
zero; masked scores are lowered by 100. The embedding's convolution has torch's default.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

PATCH = 4  # section 3.1
WINDOW, HEAD, EXPANSION = 7, 32, 4  # M, d and α of section 3.3
MASKED = -100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SwinSpec:
    """One line of section 3.3; ``stochastic_depth`` is the rate of the last block."""

    width: int
    depths: tuple[int, ...]
    stochastic_depth: float
    in_channels: int = 3
    num_classes: int = 1000
    image_size: int = 224

    def __post_init__(self) -> None:
        if self.image_size < PATCH:
            raise UserError(
                f"pictures of {self.image_size}x{self.image_size} are less than one patch; "
                f"a Swin Transformer accepts {PATCH}x{PATCH} and larger"
            )


class StochasticDepth(nn.Module):
    """In training, leave a branch out for some pictures and enlarge it for the others."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """Any (N, …); each of the N is kept with probability 1 - rate."""
        if not self.training or not self.rate:
            return x
        return x * F.dropout(x.new_ones(x.shape[0], 1, 1, 1), self.rate)


class Attention(nn.Module):
    """Equation 4: softmax(q kᵀ/√d + B) v in each window, for each head.

    B is read from a table with one row for every way that two positions can lie to each other.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.table = nn.Parameter(torch.empty((2 * WINDOW - 1) ** 2, heads))
        nn.init.trunc_normal_(self.table, std=0.02)
        self.register_buffer("rows", table_rows(), persistent=False)

    def forward(self, qkv: Tensor, mask: Tensor | None) -> Tensor:
        """(N, windows, M², 3C), and what to add to the scores, (windows, M², M²), to (…, C)."""
        n, count, positions, _ = qkv.shape
        parts = qkv.reshape(n, count, positions, 3, self.heads, HEAD)
        q, k, v = parts.permute(3, 0, 1, 4, 2, 5).unbind(0)  # (N, windows, heads, M², d)
        bias = self.table[self.get_buffer("rows")].permute(2, 0, 1)
        scores = (q * HEAD**-0.5) @ k.transpose(3, 4) + bias
        if mask is not None:
            scores = scores + mask[:, None]
        return (scores.softmax(4) @ v).transpose(2, 3).flatten(3)


def table_rows() -> Tensor:
    """The row of the table for each pair of positions in a window, (M², M²)."""
    place = torch.cartesian_prod(torch.arange(WINDOW), torch.arange(WINDOW))
    down, right = (place[:, None] - place[None] + WINDOW - 1).unbind(2)
    return down * (2 * WINDOW - 1) + right


def windows(x: Tensor) -> Tensor:
    """(N, H, W, C), H and W multiples of M, to (N, windows, M², C)."""
    n, height, width, c = x.shape
    x = x.reshape(n, height // WINDOW, WINDOW, width // WINDOW, WINDOW, c)
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def unwindows(x: Tensor, down: int, right: int) -> Tensor:
    """(N, down x right windows, M², C) to (N, H, W, C)."""
    x = x.reshape(x.shape[0], down, right, WINDOW, WINDOW, x.shape[3])
    return x.transpose(2, 3).flatten(3, 4).flatten(1, 2)


def shift_mask(x: Tensor, down: int, right: int) -> Tensor:
    """What keeps apart positions that only the cyclic shift of ``x`` made neighbours (Figure 4).

    (windows, M², M²): zero, or -100 for two positions of which one came around an edge.
    """
    rows = F.pad(x.new_zeros(x.shape[1] - down), (0, down), value=1.0)
    columns = F.pad(x.new_zeros(x.shape[2] - right), (0, right), value=2.0)
    region = windows((rows[:, None] + columns)[None, :, :, None])[0, :, :, 0]
    return (region[:, :, None] != region[:, None]).to(x.dtype) * MASKED


class WindowAttention(nn.Module):
    """Queries, keys and values; attention within windows, shifted or not; a dense layer."""

    def __init__(self, width: int, shift: int) -> None:
        super().__init__()
        self.shift = shift
        self.attention = Attention(width // HEAD)
        self.qkv = nn.Linear(width, 3 * width)
        self.project = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, H, W, C) to the same."""
        height, width = x.shape[1], x.shape[2]
        x = F.pad(x, (0, 0, 0, -width % WINDOW, 0, -height % WINDOW))
        # a map that one window covers is not shifted in that direction
        down = self.shift * (height > WINDOW)
        right = self.shift * (width > WINDOW)
        mask = None
        if self.shift:
            x, mask = x.roll((-down, -right), (1, 2)), shift_mask(x, down, right)
        size = x.shape[1] // WINDOW, x.shape[2] // WINDOW
        x = unwindows(self.project(self.attention(self.qkv(windows(x)), mask)), *size)
        if self.shift:
            x = x.roll((down, right), (1, 2))
        return x[:, :height, :width]


class Block(nn.Module):
    """Equation 3: x + attention(norm(x)), then x + mlp(norm(x))."""

    channels_last = True  # its maps are (N, H, W, C)

    def __init__(self, width: int, shift: int, rate: float) -> None:
        super().__init__()
        hidden = EXPANSION * width
        self.norm1 = nn.LayerNorm(width)
        self.attention = WindowAttention(width, shift)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.drop = StochasticDepth(rate)

    def forward(self, x: Tensor) -> Tensor:
        """(N, H, W, C) to the same."""
        x = x + self.drop(self.attention(self.norm1(x)))
        return x + self.drop(self.mlp(self.norm2(x)))


class PatchMerging(nn.Module):
    """The channels of each 2x2 positions as one, normed, then half as many (section 3.1)."""

    channels_last = True  # its maps are (N, H, W, C)

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = nn.Linear(4 * width, 2 * width, bias=False)
        self.norm = nn.LayerNorm(4 * width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, H, W, C) to (N, ⌈H/2⌉, ⌈W/2⌉, 2C)."""
        x = F.pad(x, (0, 0, 0, x.shape[2] % 2, 0, x.shape[1] % 2))
        n, height, width, c = x.shape
        x = x.reshape(n, height // 2, 2, width // 2, 2, c).permute(0, 1, 3, 4, 2, 5)
        return self.reduce(self.norm(x.flatten(3)))


class PatchEmbedding(nn.Module):
    """One vector for each 4x4 pixels, normed."""

    channels_last = True  # its maps are (N, H, W, C)

    def __init__(self, c_in: int, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(c_in, width, PATCH, stride=PATCH)
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, ⌊H/4⌋, ⌊W/4⌋, width)."""
        return self.norm(self.conv(x).permute(0, 2, 3, 1))


class Stage(nn.Sequential):
    """One stage of Figure 3."""

    channels_last = True


def stage(width: int, rates: Sequence[float], *, merge: bool) -> Stage:
    """Patch merging, in all stages but the first, then blocks; every second one is shifted."""
    parts = OrderedDict[str, nn.Module]()
    if merge:
        parts["merging"] = PatchMerging(width // 2)
    for number, rate in enumerate(rates):
        parts[f"block{number + 1}"] = Block(width, (number % 2) * (WINDOW // 2), rate)
    return Stage(parts)


class Swin(nn.Module):
    """Figure 3: patch embedding, four stages, classification."""

    def __init__(self, spec: SwinSpec) -> None:
        super().__init__()
        total, built = sum(spec.depths), 0
        rates = [spec.stochastic_depth * block / max(total - 1, 1) for block in range(total)]
        self.embedding = PatchEmbedding(spec.in_channels, spec.width)
        stages = OrderedDict[str, nn.Module]()
        for number, depth in enumerate(spec.depths):
            width = spec.width * 2**number
            own = rates[built : built + depth]
            stages[f"stage{number + 1}"] = stage(width, own, merge=number > 0)
            built += depth
        self.stages = nn.Sequential(stages)
        self.norm = nn.LayerNorm(width)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(width, spec.num_classes)
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) of at least 4x4 to scores, (N, num_classes)."""
        x = self.norm(self.stages(self.embedding(x)))
        return self.classifier(self.pool(x.permute(0, 3, 1, 2)).flatten(1))


PAPER = Paper(
    authors="Liu, Lin, Cao, Hu, Wei, Zhang, Lin, Guo",
    title="Swin Transformer: hierarchical vision transformer using shifted windows",
    year=2021,
    where="ICCV; arXiv:2103.14030",
)

FAMILY: Family[SwinSpec] = Family(
    name="swin",
    build=Swin,
    variants={
        "swin_t": Variant(
            spec=SwinSpec(width=96, depths=(2, 2, 6, 2), stochastic_depth=0.2),
            paper=PAPER,
            summary="tiny: C = 96, 12 blocks, about the cost of ResNet-50",
        ),
        "swin_s": Variant(
            spec=SwinSpec(width=96, depths=(2, 2, 18, 2), stochastic_depth=0.3),
            paper=PAPER,
            summary="small: C = 96, 24 blocks, about the cost of ResNet-101",
        ),
        "swin_b": Variant(
            spec=SwinSpec(width=128, depths=(2, 2, 18, 2), stochastic_depth=0.5),
            paper=PAPER,
            summary="base: C = 128, 24 blocks, the cost of ViT-B and DeiT-B",
        ),
    },
)
