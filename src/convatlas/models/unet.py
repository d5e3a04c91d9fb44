"""U-Net (Ronneberger, Fischer, Brox 2015), arXiv:1505.04597, Figure 1.

    level  contracting path            expanding path
    1      64@570, 64@568              64@392 + 64 -> 64@390, 64@388, then 1x1 -> 2@388
    2      128@282, 128@280            128@200 + 128 -> 128@198, 128@196
    3      256@138, 256@136            256@104 + 256 -> 256@102, 256@100
    4      512@66, 512@64              512@56 + 512 -> 512@54, 512@52
    5      1024@30, 1024@28

Sizes are for a tile of 572x572. Every level has two convolutions 3x3 without padding, each with
ReLU; down is a maximum of 2x2, up a transposed convolution 2x2 at stride 2 that halves the maps.
The contracting path's maps are cropped to the middle and stand before those that come up. The
output is 184 smaller than the input.

Knobs in the paper: none. Dropout stands "at the end of the contracting path" (section 3.1) without
rate or number: here 0.5 after levels 4 and 5, as in the released Caffe model. Weights from
N(0, variance 2 / N) for N inputs of a unit (section 3); biases, on which the paper is silent, zero.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from convatlas.errors import UserError
from convatlas.models.family import Family, Paper, Variant

MAPS = (64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class UNetSpec:
    """Figure 1; ``padded`` keeps the size of every map, so that nothing is cropped."""

    num_classes: int = 2
    in_channels: int = 1
    image_size: int = 572
    dropout: float = 0.5
    padded: bool = False

    def __post_init__(self) -> None:
        smallest, form = (16, "unet-padded") if self.padded else (188, "unet")
        over = (self.image_size - smallest) % 16
        if over or self.image_size < smallest:
            below = max(smallest, self.image_size - over)
            nearest = f"{below} or {below + 16}" if self.image_size > smallest else f"{smallest}"
            raise UserError(
                f"{form} cannot halve a tile of {self.image_size}x{self.image_size} four times; "
                f"the nearest that it accepts: {nearest} (the smallest is {smallest}, then every "
                "16th)"
            )


def level(spec: UNetSpec, c_in: int, c_out: int) -> list[nn.Module]:
    """Two convolutions 3x3, each with ReLU."""
    padding = 1 if spec.padded else 0
    first, second = (nn.Conv2d(c, c_out, 3, padding=padding) for c in (c_in, c_out))
    return [first, nn.ReLU(), second, nn.ReLU()]


def cropped(x: Tensor, like: Tensor) -> Tensor:
    """The middle of a map, as high and wide as another."""
    (height, width), (new_height, new_width) = x.shape[2:], like.shape[2:]
    top, left = (height - new_height) // 2, (width - new_width) // 2
    return x[:, :, top : top + new_height, left : left + new_width]


class UNet(nn.Module):
    """The contracting path, the expanding path, and a score of every class for every pixel."""

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__()
        self.contracting, self.up, self.expanding = (nn.ModuleList() for _ in range(3))
        c_in = spec.in_channels
        for number, maps in enumerate(MAPS, start=1):
            down = [nn.MaxPool2d(2)] if number > 1 else []
            drop = [nn.Dropout(spec.dropout)] if number > 3 else []
            self.contracting.append(nn.Sequential(*down, *level(spec, c_in, maps), *drop))
            c_in = maps
        for maps in reversed(MAPS[:-1]):
            self.up.append(nn.ConvTranspose2d(2 * maps, maps, 2, stride=2))
            self.expanding.append(nn.Sequential(*level(spec, 2 * maps, maps)))
        self.output = nn.Conv2d(MAPS[0], spec.num_classes, 1)
        self.draw_weights()

    def draw_weights(self) -> None:
        """N(0, 2 / N): a unit of 3x3 has 9 c_in inputs, one of the transposed 2x2 has c_in."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                transposed = isinstance(layer, nn.ConvTranspose2d)
                inputs = layer.in_channels if transposed else layer.weight[0].numel()
                nn.init.normal_(layer.weight, std=(2 / inputs) ** 0.5)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to scores of every pixel, (N, num_classes, H - 184, W - 184).

        ``unet-padded`` gives (N, num_classes, H, W).
        """
        kept: list[Tensor] = []
        for contract in self.contracting:
            x = contract(x)
            kept.append(x)
        for up, expand, skip in zip(self.up, self.expanding, kept[-2::-1], strict=True):
            x = up(x)
            x = expand(torch.cat((cropped(skip, x), x), 1))
        return self.output(x)


PAPER = Paper(
    authors="Ronneberger, Fischer, Brox",
    title="U-Net: convolutional networks for biomedical image segmentation",
    year=2015,
    where="arXiv:1505.04597, MICCAI",
)

FAMILY = Family(
    name="unet",
    build=UNet,
    variants={
        "unet": Variant(
            spec=UNetSpec(),
            paper=PAPER,
            summary="Figure 1: unpadded convolutions, 572x572 to a map of 388x388",
        ),
        "unet-padded": Variant(
            spec=UNetSpec(padded=True, image_size=512),
            paper=PAPER,
            summary="padded convolutions: the map is as large as the picture",
            departures=(
                "a zero around every map, so that 3x3 keeps its size and nothing is cropped",
                "pictures of 512x512 instead of tiles of 572x572",
            ),
        ),
    },
)
