import dataclasses
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from convatlas.data.cifar import CIFAR_10, CIFAR_100, Cifar, cifar
from convatlas.errors import UserError
from convatlas.files import sha256

PER_MEMBER = 3


def record(label: int, kind: Cifar) -> bytes:
    """Its three planes are filled with the label, the label + 50 and the label + 100."""
    planes = b"".join(bytes([label + shift]) * 1024 for shift in (0, 50, 100))
    return bytes([9] * (kind.label_bytes - 1) + [label]) + planes


def members(kind: Cifar) -> dict[str, bytes]:
    """In the order of the real archive of CIFAR-10: neither sorted nor test last."""
    names = [*kind.train[:1], *kind.test, *reversed(kind.train[1:])]
    order = (*kind.train, *kind.test)
    return {
        name: b"".join(record(order.index(name) * 3 + k, kind) for k in range(PER_MEMBER))
        for name in names
    }


def pack(folder: Path, kind: Cifar, content: dict[str, bytes]) -> Cifar:
    path = folder / kind.archive
    with tarfile.open(path, "w:gz") as archive:
        for name, blob in {"readme.html": b"<html>", **content}.items():
            info = tarfile.TarInfo(f"cifar-something/{name}")
            info.size = len(blob)
            archive.addfile(info, io.BytesIO(blob))
    return trust(kind, path)


def trust(kind: Cifar, path: Path) -> Cifar:
    source = dataclasses.replace(kind.source, sha256={kind.archive: sha256(path)})
    return dataclasses.replace(kind, source=source)


@pytest.mark.parametrize("kind", [CIFAR_10, CIFAR_100], ids=lambda kind: kind.source.name)
def test_members_are_read_in_their_own_order(tmp_path: Path, kind: Cifar) -> None:
    kind = pack(tmp_path, kind, members(kind))
    dataset = cifar(kind, tmp_path)
    count = len(kind.train) * PER_MEMBER
    assert dataset.train.labels.tolist() == list(range(count))
    assert dataset.train.images.shape == (count, 3, 32, 32)
    assert dataset.train.images.dtype == torch.uint8
    assert dataset.train.images[1].flatten(1).unique(dim=1).flatten().tolist() == [1, 51, 101]
    test = dataset.test.open("eval")
    assert test.labels.tolist() == [count, count + 1, count + 2]
    assert dataset.checksums == kind.source.sha256
    assert len(dataset.classes) == (10 if kind.label_bytes == 1 else 100)


def test_the_walk_ends_at_the_last_training_member(tmp_path: Path) -> None:
    content = members(CIFAR_100)
    content["test.bin"] = np.random.default_rng(0).bytes(2**20)  # not even whole records
    kind = pack(tmp_path, CIFAR_100, content)
    dataset = cifar(kind, tmp_path)
    with pytest.raises(
        UserError, match=r"test\.bin has 1048576 bytes, expected a multiple of 3074"
    ):
        dataset.test.open("eval")


def test_another_archive_is_refused(tmp_path: Path) -> None:
    pack(tmp_path, CIFAR_10, members(CIFAR_10))
    with pytest.raises(
        UserError, match=r"cifar-10-binary\.tar\.gz is damaged or not the published"
    ):
        cifar(CIFAR_10, tmp_path)


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    content = members(CIFAR_10)
    del content["data_batch_4.bin"]
    with pytest.raises(UserError, match=r"holds no data_batch_4\.bin"):
        cifar(pack(tmp_path, CIFAR_10, content), tmp_path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_an_archive_that_breaks_off(tmp_path: Path, keep: float) -> None:
    pack(tmp_path, CIFAR_10, members(CIFAR_10))
    path = tmp_path / CIFAR_10.archive
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(UserError, match=r"cannot read|holds no"):
        cifar(trust(CIFAR_10, path), tmp_path)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("something was unpickled",)


def test_nothing_is_ever_unpickled(tmp_path: Path) -> None:
    """The archives for Python hold pickles under other names; ours must not care."""
    content = dict.fromkeys(members(CIFAR_10), pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="expected a multiple of 3073"):
        cifar(pack(tmp_path, CIFAR_10, content), tmp_path)
