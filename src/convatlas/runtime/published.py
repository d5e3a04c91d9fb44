"""How pictures are prepared for weights: as their library evaluates them, or as the user says.

The numbers are torchvision's ``transforms()`` of the first weights of each network, and timm's
configuration of its default weights. Two of torchvision's networks, GoogLeNet and Inception-v3,
change ImageNet's means and deviations to 0.5 themselves before their first layer; here that stands
in the preparation. Where theirs resizes with bicubic filters, ours is bilinear as everywhere.
"""

from dataclasses import dataclass

import numpy as np

from convatlas.runtime.bundle import Preparation, figures

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5,) * 3, (0.5,) * 3)
LIBRARIES = ("torchvision", "timm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Pictures to a shorter side, its centre, then (p - mean) / deviation with p from 0 to 1."""

    resize: int  # when the network reads pictures of ``size``
    size: int = 224
    mean: tuple[float, ...] = IMAGENET[0]
    deviation: tuple[float, ...] = IMAGENET[1]

    def at(self, size: int) -> Preparation:
        """For pictures of another size, the same share of them is cut."""
        side = round(size * self.resize / self.size)
        return preparation(side, size, self.mean, self.deviation)


USUAL = Scale(resize=256)
# network without its profile, library: what differs from the usual
OTHERS = {
    ("googlenet", "torchvision"): Scale(resize=256, mean=HALF[0], deviation=HALF[1]),
    ("inception_v3", "torchvision"): Scale(resize=342, size=299, mean=HALF[0], deviation=HALF[1]),
    ("inception_v4", "timm"): Scale(resize=341, size=299, mean=HALF[0], deviation=HALF[1]),
    ("inception_resnet_v2", "timm"): Scale(resize=333, size=299, mean=HALF[0], deviation=HALF[1]),
    ("mobilenet_v1", "timm"): Scale(resize=256, mean=HALF[0], deviation=HALF[1]),
    ("resnext101-64x4d", "torchvision"): Scale(resize=232),
    ("se-resnet50", "timm"): Scale(resize=235),
    ("swin_t", "torchvision"): Scale(resize=232),
    ("swin_s", "torchvision"): Scale(resize=246),
    ("swin_b", "torchvision"): Scale(resize=238),
    **{(f"swin_{size}", "timm"): Scale(resize=248) for size in "tsb"},
}


def published(name: str, layout: str, size: int) -> tuple[Preparation, str] | None:
    """The preparation of a library's weights for a network, and whose it is, in words.

    ``layout``: of the weights that were loaded, if any were; else the network's profile counts.
    """
    network, _, profile = name.partition("@")
    library = next((each for each in LIBRARIES if each in layout), profile)
    if library not in LIBRARIES:
        return None
    scale = OTHERS.get((network, library), USUAL)
    return scale.at(size), f"as {library} evaluates its weights"


def preparation(
    side: int, size: int, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> Preparation:
    """Shorter side to ``side``, centre of ``size``, and a mean and deviation for each channel."""
    return Preparation(
        side=side,
        crop=size if size < side else None,
        mean=figures(np.array(mean, np.float32)[:, None, None]),
        deviation=figures(np.array(deviation, np.float32)[:, None, None]),
    )
