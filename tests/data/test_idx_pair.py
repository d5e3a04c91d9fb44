import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from convatlas.data.idx_pair import FILES, read_pair
from convatlas.errors import UserError


def write(path: Path, values: np.ndarray) -> str:
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(head + values.tobytes(), mtime=0))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_set(folder: Path, *, images: tuple[int, ...], labels: tuple[int, ...]) -> dict[str, str]:
    shapes = (images, labels) * 2
    return {
        name: write(folder / name, np.full(shape, place, np.uint8))
        for place, (name, shape) in enumerate(zip(FILES, shapes, strict=True))
    }


def test_each_part_has_its_own_files(tmp_path: Path) -> None:
    checksums = write_set(tmp_path, images=(3, 4, 5), labels=(3,))
    images, labels = read_pair(tmp_path, "train", checksums=checksums)
    assert (images.shape, int(images.max()), labels.tolist()) == ((3, 4, 5), 0, [1, 1, 1])
    images, labels = read_pair(tmp_path, "t10k", checksums=checksums)
    assert (images.shape, int(images.max()), labels.tolist()) == ((3, 4, 5), 2, [3, 3, 3])


@pytest.mark.parametrize(("images", "labels"), [((3, 4, 5), (2,)), ((3, 4), (3,))])
def test_files_that_do_not_belong_together(
    tmp_path: Path, images: tuple[int, ...], labels: tuple[int, ...]
) -> None:
    checksums = write_set(tmp_path, images=images, labels=labels)
    with pytest.raises(UserError, match="train-images"):
        read_pair(tmp_path, "train", checksums=checksums)
