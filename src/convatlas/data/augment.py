"""Random changes of training pictures, each one tensor operation on a whole batch."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Augment:
    """Which changes are drawn anew for every picture of every batch.

    ``shift``: move by up to that many pixels each way, the border filled with zeros (which is
    also "pad by that many and crop"); ``flip``: mirror left-right with probability one half;
    ``crop``: cut a square of that side at a random place (at the centre when evaluating).
    """

    shift: int = 0
    flip: bool = False
    crop: int | None = None

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Changed copies of uint8 (N, C, H, W); ``generator`` lives on the CPU."""
        if self.shift:
            images = random_windows(
                F.pad(images, (self.shift,) * 4), tuple(images.shape[-2:]), generator
            )
        if self.crop:
            images = random_windows(images, (self.crop, self.crop), generator)
        if self.flip:
            mirrored = torch.rand(len(images), generator=generator).to(images.device) < 0.5
            images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
        return images

    def centre(self, images: Tensor) -> Tensor:
        """What evaluation sees: the centre crop, nothing random."""
        if not self.crop:
            return images
        top, left = ((side - self.crop) // 2 for side in images.shape[-2:])
        return images[..., top : top + self.crop, left : left + self.crop]


def random_windows(images: Tensor, size: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """One window of ``size`` (height, width) from each picture, places uniform."""
    height, width = size
    windows = images.unfold(2, height, 1).unfold(3, width, 1)  # (N, C, rows, columns, h, w)
    draw = torch.rand(2, len(images), generator=generator).to(images.device)
    row, column = (draw * torch.tensor(windows.shape[2:4])[:, None].to(draw)).long()
    return windows[torch.arange(len(images), device=images.device), :, row, column]
