"""One part of an MNIST-like set: its two idx files, checked. Never imports torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from convatlas.data.idx import read_idx
from convatlas.errors import UserError

Part: TypeAlias = Literal["train", "t10k"]
Pair: TypeAlias = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # images (N, H, W), labels (N,)

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
FILES = (TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS)


def read_pair(folder: Path, part: Part, *, checksums: Mapping[str, str]) -> Pair:
    """The two files of one part; each must hash to what ``checksums`` says."""
    images_name = f"{part}-images-idx3-ubyte.gz"
    labels_name = f"{part}-labels-idx1-ubyte.gz"
    labels = read_idx(folder / labels_name, sha256=checksums[labels_name])
    images = read_idx(folder / images_name, sha256=checksums[images_name])
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise UserError(
            f"{folder}: {images_name} holds {images.shape} and {labels_name} {labels.shape}, "
            f"expected (N, height, width) and (N,); replace both"
        )
    return images, labels
