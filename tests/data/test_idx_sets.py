import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from convatlas.data import idx_sets, shipped
from convatlas.data.dataset import Dataset
from convatlas.data.fashion import DEBIAN, SOURCE
from convatlas.data.idx_pair import FILES, TRAIN_IMAGES
from convatlas.data.idx_sets import fashion_mnist, mnist
from convatlas.errors import UserError

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return mnist()


def test_the_training_part_of_mnist(digits: Dataset) -> None:
    images, labels = digits.train.images, digits.train.labels
    assert images.shape == (60_000, 1, 28, 28)
    assert (images.dtype, labels.dtype) == (torch.uint8, torch.int64)
    assert torch.bincount(labels).tolist() == TRAIN_COUNTS
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert digits.classes == tuple("0123456789")
    assert digits.checksums == shipped.MNIST_SHA256


def test_the_test_part_of_mnist(digits: Dataset) -> None:
    pictures = digits.test.open("eval")
    assert pictures.images.shape == (10_000, 1, 28, 28)
    assert torch.bincount(pictures.labels).tolist() == TEST_COUNTS


def test_the_pictures_can_be_written_to(digits: Dataset) -> None:
    before = digits.train.images[0, 0, 0, 0].clone()
    digits.train.images[0, 0, 0, 0] = 7
    assert digits.train.images[0, 0, 0, 0] == 7
    digits.train.images[0, 0, 0, 0] = before


def test_a_part_read_ahead_is_used_as_it_is() -> None:
    images, labels = np.zeros((2, 3, 3), np.uint8), np.array([1, 0], np.uint8)
    ahead = mnist((images, labels))
    images[1] = 9
    assert ahead.train.images[1].unique().tolist() == [9]
    assert ahead.train.labels.tolist() == [1, 0]


def test_the_test_files_are_not_touched_before_opening(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in FILES:
        shutil.copy(shipped.MNIST / name, tmp_path / name)
    monkeypatch.setattr(idx_sets, "MNIST", tmp_path)
    dataset = mnist()
    for name in FILES:
        (tmp_path / name).unlink()
    with pytest.raises(UserError, match="t10k-labels"):
        dataset.test.open("eval")


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FILES:
        shutil.copy(shipped.MNIST / name, tmp_path / name)
    (tmp_path / TRAIN_IMAGES).write_bytes(b"\x1f\x8b" + bytes(100))
    monkeypatch.setattr(shipped, "MNIST", tmp_path)
    with pytest.raises(UserError, match=f"{TRAIN_IMAGES} is damaged"):
        mnist()


def test_other_content_does_not_pass_for_fashion_mnist() -> None:
    with pytest.raises(UserError, match=r"train-labels.* not the published file"):
        fashion_mnist(shipped.MNIST)


def test_fashion_mnist_as_debian_packs_it() -> None:
    folder = SOURCE.system
    if folder is None or not all((folder / name).is_file() for name in FILES):
        pytest.skip("the Debian package dataset-fashion-mnist is not installed")
    dataset = fashion_mnist(folder)
    assert dataset.checksums == DEBIAN
    assert torch.bincount(dataset.train.labels).tolist() == [6000] * 10
    test = dataset.test.open("eval")
    assert torch.bincount(test.labels).tolist() == [1000] * 10
    assert test.images.shape == (10_000, 1, 28, 28)
    assert dataset.classes[int(dataset.train.labels[0])] == "Ankle boot"
