"""Pre-processing: from uint8 pixels to what a network reads, with figures from the training part.

    kind              output, pixels p in [0, 1]                  who used it
    unit              p                                           tutorials
    ink               1.275 p - 0.1 (paper -0.1, ink 1.175)       LeNet-5, section II-B
    mean-image        p - mean picture                            AlexNet, section 2
    channel-mean      p - mean of each channel                    VGG, section 2.1
    channel-standard  (p - mean) / deviation of each channel      the common CIFAR-10 recipe

A frame of zeros may be put around the picture first (28x28 into LeNet-5's 32x32).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from convatlas.data.kind import Kind as Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocess:
    """A fitted pre-processing: ``(p - mean) / deviation`` on pixels in [0, 1]."""

    kind: Kind
    pad: int
    mean: Tensor  # (C, 1, 1), or (C, H, W) for a mean image
    deviation: Tensor  # (C, 1, 1)

    def __call__(self, images: Tensor) -> Tensor:
        """uint8 (N, C, H, W) to float32 (N, C, H + 2 pad, W + 2 pad) on the same device."""
        scale = (255 * self.deviation).reciprocal()
        framed = F.pad(images, (self.pad,) * 4) if self.pad else images
        return torch.addcmul(-self.mean / self.deviation, framed.float(), scale)

    def to(self, device: torch.device) -> "Preprocess":
        """The same pre-processing with its figures on a device."""
        return Preprocess(
            kind=self.kind,
            pad=self.pad,
            mean=self.mean.to(device),
            deviation=self.deviation.to(device),
        )


def fit(kind: Kind, images: Tensor, pad: int = 0) -> Preprocess:
    """Take the figures of a pre-processing from the training pictures, uint8 (N, C, H, W).

    A channel with one value throughout has deviation 1 instead of 0.
    """
    channels = images.shape[1]
    mean, deviation = torch.zeros(channels, 1, 1), torch.ones(channels, 1, 1)
    if kind == "ink":
        mean += 0.1 / 1.275
        deviation /= 1.275
    elif kind == "mean-image":
        total = images.sum(0, dtype=torch.int64)
        mean = F.pad((total.double() / (255 * len(images))).float(), (pad,) * 4)
    elif kind in ("channel-mean", "channel-standard"):
        mean, spread = channel_statistics(images)
        deviation = spread if kind == "channel-standard" else deviation
    return Preprocess(kind=kind, pad=pad, mean=mean, deviation=deviation)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of each channel on the scale [0, 1], two tensors (C, 1, 1).

    Counted from the histogram of the 256 pixel values, so the sums are exact.
    """
    values = torch.arange(256, dtype=torch.float64, device=images.device) / 255
    figures = []
    for channel in images.unbind(1):
        share = torch.bincount(channel.flatten(), minlength=256).double() / channel.numel()
        mean = (share * values).sum()
        deviation = (share * (values - mean).square()).sum().sqrt()
        figures.append(torch.stack((mean, deviation if deviation > 0 else torch.ones_like(mean))))
    mean, deviation = torch.stack(figures, 1).float().cpu()
    return mean[:, None, None], deviation[:, None, None]
