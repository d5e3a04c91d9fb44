"""MNIST and Fashion-MNIST, from their four idx files."""

from collections.abc import Mapping
from pathlib import Path

import torch

from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.data.fashion import CLASSES, DEBIAN, PUBLISHED
from convatlas.data.idx_pair import TRAIN_LABELS, Pair, read_pair
from convatlas.data.shipped import MNIST, MNIST_SHA256, read_mnist_train
from convatlas.files import sha256

DIGITS = tuple("0123456789")


def mnist(train: Pair | None = None) -> Dataset:
    """The set in the package; ``train`` is its training part if that was read ahead."""
    return Dataset(
        name="mnist",
        classes=DIGITS,
        train=as_pictures(read_mnist_train() if train is None else train),
        test=_sealed(MNIST, MNIST_SHA256),
        checksums=MNIST_SHA256,
    )


def fashion_mnist(folder: Path) -> Dataset:
    """The set in ``folder``, in either of its two known packings; no other content passes.

    Which packing it is, one small training file tells: the test files are not read for it.
    """
    packing = DEBIAN if sha256(folder / TRAIN_LABELS) == DEBIAN[TRAIN_LABELS] else PUBLISHED
    return Dataset(
        name="fashion-mnist",
        classes=CLASSES,
        train=as_pictures(read_pair(folder, "train", checksums=packing)),
        test=_sealed(folder, packing),
        checksums=packing,
    )


def as_pictures(pair: Pair) -> Pictures:
    """Share the images' memory with torch; labels become the int64 torch's losses ask for."""
    images, labels = pair
    return Pictures(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long())


def _sealed(folder: Path, checksums: Mapping[str, str]) -> SealedTest:
    """The ``t10k`` files, checked when they are read."""
    return SealedTest(lambda: as_pictures(read_pair(folder, "t10k", checksums=checksums)))
