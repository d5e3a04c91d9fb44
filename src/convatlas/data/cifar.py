"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), from the *binary* archives: nothing is unpickled.

The archives are read where they lie, never unpacked to disk. A gzip stream can only be walked
from its beginning, so loading the training part runs past the test member, which is neither kept
nor looked at; the walk ends at the last training member.
"""

import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from convatlas.data.cifar_classes import CIFAR10, CIFAR100
from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.data.locate import Source
from convatlas.errors import UserError
from convatlas.files import sha256

PIXELS = 3 * 32 * 32


@dataclass(frozen=True, slots=True)
class Cifar:
    """What tells one set from the other."""

    source: Source
    archive: str
    classes: tuple[str, ...]
    train: tuple[str, ...]  # members, in the order their pictures get
    test: tuple[str, ...]
    label_bytes: int  # the last one is the label; CIFAR-100 has the coarse class before it


def _source(name: str, archive: str, checksum: str) -> Source:
    return Source(name, "https://www.cs.toronto.edu/~kriz/", {archive: checksum})


CIFAR_10 = Cifar(
    source=_source(
        "cifar10",
        "cifar-10-binary.tar.gz",
        "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    archive="cifar-10-binary.tar.gz",
    classes=CIFAR10,
    train=tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    test=("test_batch.bin",),
    label_bytes=1,
)
CIFAR_100 = Cifar(
    source=_source(
        "cifar100",
        "cifar-100-binary.tar.gz",
        "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
    ),
    archive="cifar-100-binary.tar.gz",
    classes=CIFAR100,
    train=("train.bin",),
    test=("test.bin",),
    label_bytes=2,
)


def cifar(kind: Cifar, folder: Path) -> Dataset:
    """The set whose archive lies in ``folder``; its checksum covers both parts."""
    path = folder / kind.archive
    expected = kind.source.sha256[kind.archive]
    if (got := sha256(path)) != expected:
        raise UserError(
            f"{path} is damaged or not the published archive: its SHA-256 is {got}, "
            f"expected {expected}; delete it to have it downloaded, or replace it"
        )
    return Dataset(
        name=kind.source.name,
        classes=kind.classes,
        train=_read(kind, path, kind.train),
        test=SealedTest(lambda: _read(kind, path, kind.test)),
        checksums=kind.source.sha256,
    )


def _read(kind: Cifar, path: Path, names: tuple[str, ...]) -> Pictures:
    """The members' pictures, one member after the other."""
    members = _members(path, names)
    width = kind.label_bytes + PIXELS
    for name, blob in members.items():
        if not blob or len(blob) % width:
            raise UserError(
                f"{path}: {name} has {len(blob)} bytes, expected a multiple of {width}; "
                f"replace the archive with a fresh copy"
            )
    records = [np.frombuffer(members[name], np.uint8).reshape(-1, width) for name in names]
    return _pictures(records, kind)


def _pictures(records: list[NDArray[np.uint8]], kind: Cifar) -> Pictures:
    """One tensor allocated, every record copied once."""
    images = torch.empty(sum(map(len, records)), 3, 32, 32, dtype=torch.uint8)
    flat = images.view(-1, PIXELS).numpy()
    np.concatenate([part[:, kind.label_bytes :] for part in records], out=flat)
    labels = np.concatenate([part[:, kind.label_bytes - 1] for part in records])
    return Pictures(images, torch.from_numpy(labels).long())


def _members(path: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    """The content of the named members, wherever in the archive they lie."""
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r|gz") as archive:
            for member in archive:
                name = Path(member.name).name
                if name in names and (file := archive.extractfile(member)):
                    found[name] = file.read()
                if len(found) == len(names):
                    return found
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UserError(f"cannot read {path}: {error}; replace it with a fresh copy") from error
    missing = ", ".join(name for name in names if name not in found)
    raise UserError(f"{path} holds no {missing}; replace it with the published archive")
