import hashlib
from pathlib import Path

import pytest

from convatlas.data.idx import read_idx
from convatlas.data.shipped import MNIST, MNIST_SHA256, read_mnist_train

# MD5 of the unpacked files as published since 1998.
UNPACKED_MD5 = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.mark.parametrize("name", sorted(UNPACKED_MD5))
def test_the_content_is_the_published_one(name: str) -> None:
    values = read_idx(MNIST / name, sha256=MNIST_SHA256[name])
    head = bytes((0, 0, 8, values.ndim)) + b"".join(n.to_bytes(4) for n in values.shape)
    assert hashlib.md5(head + values.tobytes()).hexdigest() == UNPACKED_MD5[name]


@pytest.mark.parametrize("name", sorted(MNIST_SHA256))
def test_the_gzip_header_holds_no_name_and_no_date(name: str) -> None:
    with Path(MNIST, name).open("rb") as file:
        assert file.read(8) == b"\x1f\x8b\x08\0\0\0\0\0"


def test_the_attribution_names_every_file_with_its_checksum() -> None:
    text = Path(MNIST, "ATTRIBUTION.md").read_text()
    for name, checksum in MNIST_SHA256.items():
        assert f"{checksum}  {name}" in text
    for author in ("Yann LeCun", "Corinna Cortes", "Christopher J. C. Burges", "CC BY-SA 3.0"):
        assert author in text


def test_what_is_read_ahead_is_the_training_part() -> None:
    images, labels = read_mnist_train()
    assert images.shape == (60_000, 28, 28)
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
