"""Grey to colour and back, for sets whose pictures are all of one kind."""

import torch
from torch import Tensor

from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.errors import UserError

# ITU-R 601 luma in 16-bit fixed point: to the bit what Pillow's conversion to "L" computes.
RED, GREEN, BLUE, HALF, BITS = 19595, 38470, 7471, 1 << 15, 16
PIECE = 4096  # pictures converted at a time, to bound the wider integers' memory


def with_channels(dataset: Dataset, channels: int) -> Dataset:
    """The same set in grey (1) or colour (3); grey becomes colour by being repeated."""
    check_channels(channels)
    if dataset.train.images.shape[1] == channels:
        return dataset
    return Dataset(
        name=dataset.name,
        classes=dataset.classes,
        train=_convert(dataset.train, channels),
        test=SealedTest(lambda: _convert(dataset.test.open("channels"), channels)),
        checksums=dataset.checksums,
    )


def check_channels(channels: int) -> None:
    """Only grey and colour are known."""
    if channels not in (1, 3):
        raise UserError(f"channels is {channels}, expected 1 (grey) or 3 (colour)")


def _convert(pictures: Pictures, channels: int) -> Pictures:
    """Every picture, labels untouched."""
    images = pictures.images
    changed = images.repeat(1, 3, 1, 1) if channels == 3 else _luma(images)
    return Pictures(changed, pictures.labels, pictures.rejected)


def _luma(images: Tensor) -> Tensor:
    """Colour to grey."""
    grey = images.new_empty((len(images), 1, *images.shape[2:]))
    for into, piece in zip(torch.split(grey, PIECE), torch.split(images, PIECE), strict=True):
        red, green, blue = piece.to(torch.int32).unbind(1)
        into[:, 0] = (RED * red + GREEN * green + BLUE * blue + HALF) >> BITS
    return grey
