"""Whether pictures in hand are what the rest of the program takes them for."""

import hashlib

import torch

from convatlas.data.dataset import Pictures
from convatlas.errors import UserError

PIXELS = "training pictures as decoded"  # the name of `content_sha256` among checksums


def check_pictures(pictures: Pictures, name: str, num_classes: int) -> None:
    """Raise `UserError` unless these are uint8 pictures (N, C, H, W) with one label each."""
    images, labels = pictures.images, pictures.labels
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise UserError(
            f"{name}: pictures are a uint8 tensor (N, C, H, W), given "
            f"{images.dtype} of shape {tuple(images.shape)}"
        )
    if labels.dtype != torch.int64 or labels.shape != (len(images),):
        raise UserError(
            f"{name}: labels are an int64 tensor with one value for each of the {len(images)} "
            f"pictures, given {labels.dtype} of shape {tuple(labels.shape)}"
        )
    if not len(labels):
        raise UserError(f"{name} holds no picture")
    if int(labels.min()) < 0 or int(labels.max()) >= num_classes:
        raise UserError(
            f"{name}: labels run from {int(labels.min())} to {int(labels.max())}, "
            f"its {num_classes} classes are numbered from 0 to {num_classes - 1}"
        )


def content_sha256(pictures: Pictures) -> str:
    """SHA-256 of pixels and labels: two sets that train alike have it in common."""
    digest = hashlib.sha256(pictures.images.contiguous().numpy().data)
    digest.update(pictures.labels.contiguous().numpy().data)
    return digest.hexdigest()
