"""Small random convolutional networks from a seed, with what real ones are made of."""

import random
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Part = nn.Module
MAPS = 4
SMALLEST, LARGEST = 3, 60


class Do(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Branches(nn.Module):
    """Several ways that are added, multiplied or put side by side."""

    def __init__(self, ways: list[nn.Module], join: str) -> None:
        super().__init__()
        self.ways, self.join = nn.ModuleList(ways), join

    def forward(self, x: Tensor) -> Tensor:
        first, *others = [way(x) for way in self.ways]
        if self.join == "cat":
            return torch.cat([first, *others], 1)
        for other in others:
            first = first + other if self.join == "add" else first * other
        return first


class Generator:
    """Draws parts until a network has enough of them; ``H`` and ``W`` stay within bounds."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)

    def network(self, size: tuple[int, int]) -> nn.Sequential:
        """Three to seven parts behind a first convolution, for one picture of two maps."""
        parts: list[Part] = [nn.Conv2d(2, MAPS, 1)]
        shape = (1, MAPS, *size)
        wanted = self.draw.randint(3, 7)
        for _ in range(40):
            if len(parts) > wanted:
                break
            part = self.part(shape)
            made = fits(part, shape)
            if made is not None:
                parts.append(part)
                shape = made
        return nn.Sequential(*parts)

    def part(self, shape: tuple[int, ...]) -> Part:
        """Any part for maps of a shape; it may turn out not to fit."""
        draw, maps = self.draw, shape[1]
        kinds: dict[str, Callable[[int], Part]] = {
            "conv": self.conv,
            "pool": self.pool,
            "branches": self.branches,
            "transposed": self.transposed,
            "up": self.up,
            "crop": self.crop,
            "pad": self.pad,
            "turn": lambda _maps: Do(lambda x: x.transpose(2, 3)),
            "adaptive": lambda _maps: self.adaptive(shape),
            "shuffle": self.shuffle,
            "activation": lambda maps: nn.Sequential(nn.BatchNorm2d(maps), nn.ReLU()),
        }
        weights = (6, 3, 4, 1, 1, 1, 1, 0.5, 0.5, 0.5, 1)
        return kinds[draw.choices(list(kinds), weights)[0]](maps)

    def pair(self, *choices: int) -> tuple[int, int]:
        """Mostly the same for both axes."""
        one = self.draw.choice(choices)
        return (one, one) if self.draw.random() < 0.6 else (one, self.draw.choice(choices))

    def conv(self, maps: int) -> Part:
        kernel, dilation = self.pair(1, 2, 3, 4, 5), self.pair(1, 1, 1, 2, 3)
        padding = tuple(
            self.draw.randint(0, (k - 1) * d) for k, d in zip(kernel, dilation, strict=True)
        )
        mode = self.draw.choice(("zeros", "zeros", "zeros", "replicate"))
        groups = self.draw.choice((1, 1, 2, MAPS)) if maps == MAPS else 1
        return nn.Conv2d(
            maps,
            MAPS,
            kernel,
            stride=self.pair(1, 1, 2, 3),
            padding=padding,
            dilation=dilation,
            groups=groups,
            padding_mode=mode,
        )

    def pool(self, _maps: int) -> Part:
        kernel, ceil = self.pair(2, 3, 4), self.draw.random() < 0.5
        stride, half = self.pair(1, 2, 3), [self.draw.randint(0, k // 2) for k in kernel]
        if self.draw.random() < 0.5:
            dilation = self.pair(1, 1, 2)
            return nn.MaxPool2d(kernel, stride, half, dilation, ceil_mode=ceil)
        return nn.AvgPool2d(kernel, stride, tuple(half), ceil_mode=ceil)

    def branches(self, maps: int) -> Part:
        stride = self.draw.choice((1, 1, 2))
        join = self.draw.choice(("add", "cat", "multiply"))
        ways: list[nn.Module] = [self.way(maps, stride) for _ in range(self.draw.randint(2, 3))]
        if stride == 1 and maps == MAPS and self.draw.random() < 0.5:
            ways.append(nn.Identity())
        if join == "multiply" and self.draw.random() < 0.5:
            ways.append(nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(maps, MAPS, 1)))
        return Branches(ways, join)

    def way(self, maps: int, stride: int) -> nn.Sequential:
        """One or two convolutions whose output is as large as any other way's."""
        parts: list[nn.Module] = []
        for number in range(self.draw.randint(1, 2)):
            kernel, dilation = self.pair(1, 3, 5), self.pair(1, 1, 2)
            padding = tuple((k - 1) * d // 2 for k, d in zip(kernel, dilation, strict=True))
            step = stride if number == 0 else 1
            parts.append(nn.Conv2d(maps, MAPS, kernel, step, padding, dilation))
            maps = MAPS
        return nn.Sequential(*parts)

    def transposed(self, maps: int) -> Part:
        stride, kernel, dilation = self.pair(1, 2, 3), self.pair(1, 2, 3, 4), self.pair(1, 1, 2)
        padding = tuple(
            self.draw.randint(0, (k - 1) * d // 2) for k, d in zip(kernel, dilation, strict=True)
        )
        extra = tuple(self.draw.randint(0, s - 1) for s in stride)
        return nn.ConvTranspose2d(maps, MAPS, kernel, stride, padding, extra, 1, True, dilation)

    def up(self, _maps: int) -> Part:
        if self.draw.random() < 0.5:
            return nn.Upsample(scale_factor=self.draw.choice((2, 3)), mode="nearest")
        return nn.Upsample(scale_factor=2, mode="bilinear")

    def crop(self, _maps: int) -> Part:
        top, bottom, left = (self.draw.randint(0, 2) for _ in range(3))
        step = self.draw.choice((1, 1, 2))
        end = -bottom or None
        return Do(lambda x: x[:, :, top:end, left::step])

    def pad(self, _maps: int) -> Part:
        mode = self.draw.choice(("constant", "reflect", "replicate", "circular"))
        lowest = -1 if mode == "constant" else 0
        widths = [self.draw.randint(lowest, 2) for _ in range(4)]
        return Do(lambda x: F.pad(x, widths, mode))

    def adaptive(self, shape: tuple[int, ...]) -> Part:
        size = [
            max(SMALLEST, n // self.draw.randint(1, 3) - self.draw.randint(0, 1)) for n in shape[2:]
        ]
        return nn.AdaptiveAvgPool2d(tuple(size))

    def shuffle(self, maps: int) -> Part:
        if maps % 4 == 0 and self.draw.random() < 0.7:
            return nn.Sequential(nn.PixelShuffle(2), nn.Conv2d(maps // 4, MAPS, 1))
        return nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(maps * 4, MAPS, 1))


def fits(part: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape a part makes, if torch takes it and the maps stay of a bearable size."""
    try:
        with torch.no_grad():
            made = tuple(part.to("meta").eval()(torch.empty(shape, device="meta")).shape)
    except (RuntimeError, ValueError):
        return None
    finally:
        part.to_empty(device="cpu")
    return made if all(SMALLEST <= size <= LARGEST for size in made[2:]) else None
