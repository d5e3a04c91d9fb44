"""A data set from a folder of pictures."""

from pathlib import Path

import torch

from convatlas.data.check import PIXELS, content_sha256
from convatlas.data.dataset import Dataset, Pictures, SealedTest
from convatlas.data.decode import Peek
from convatlas.data.folder_read import Form, check_memory, peeks, read
from convatlas.data.folder_scan import Item, Layout, digest, scan
from convatlas.errors import UserError

FILES = "paths and sizes of all files"


def load_folder(path: Path, *, size: int | None = None, channels: int | None = None) -> Dataset:
    """Read the training part; of the test part no file is opened.

    Without ``size`` all pictures must share one; without ``channels`` they are read in grey if
    every training picture is grey, else in RGB.
    """
    if size is not None and size < 1:
        raise UserError(f"size is {size}, expected a number of pixels above 0")
    try:
        layout = scan(path)
    except OSError as error:
        raise UserError(f"cannot list {error.filename}: {error.strerror}") from error
    form = _form(layout.train.items, size=size, channels=channels)
    train = read(layout.train, form)
    _check_classes(layout, train, path)
    return Dataset(
        name=f"folder:{path.resolve()}",
        classes=layout.classes,
        train=train,
        test=SealedTest(lambda: _read_test(layout, form)),
        checksums={FILES: digest(layout, path), PIXELS: content_sha256(train)},
    )


def _read_test(layout: Layout, form: Form) -> Pictures:
    """The test part, which must hold at least one picture."""
    pictures = read(layout.test, form)
    if not len(pictures.labels):
        raise UserError(f"the test part has no usable picture{_first(pictures)}")
    return pictures


def _form(items: tuple[Item, ...], *, size: int | None, channels: int | None) -> Form:
    """The common size and kind, from the headers where the caller leaves them open."""
    if size is not None and channels is not None:
        return Form(channels, size, size, resize=True)
    if size is not None:  # before reading a million headers
        check_memory(len(items), Form(1, size, size, resize=True))
    seen = [(item, look) for item, look in zip(items, peeks(items), strict=True) if look]
    if channels is None:
        channels = 1 if all(look.grey for _, look in seen) else 3
    if size is not None:
        return Form(channels, size, size, resize=True)
    height, width = _common_size(seen)
    return Form(channels, height, width, resize=False)


def _common_size(seen: list[tuple[Item, Peek]]) -> tuple[int, int]:
    """Height and width, the same for all."""
    if not seen:
        return 1, 1  # nothing can be read; the check after decoding says so with its reasons
    first, like = seen[0]
    for item, look in seen:
        if (look.width, look.height) != (like.width, like.height):
            raise UserError(
                f"{first.path} is {like.width} x {like.height} and {item.path} is {look.width} x "
                f"{look.height}: without a size all must be alike; give --size N to resize them"
            )
    return like.height, like.width


def _check_classes(layout: Layout, train: Pictures, path: Path) -> None:
    """Every class needs a picture to train on."""
    if not len(train.labels):
        raise UserError(f"{path} has no usable training picture{_first(train)}")
    counts = torch.bincount(train.labels, minlength=len(layout.classes)).tolist()
    if 0 in counts:
        empty = layout.classes[counts.index(0)]
        raise UserError(
            f"class {empty!r} in {path} has no usable training picture; "
            f"add pictures to it or remove the folder"
        )


def _first(pictures: Pictures) -> str:
    """One rejected file, for the message."""
    if not pictures.rejected:
        return "; put pictures into its class folders"
    one = pictures.rejected[0]
    return f": all {len(pictures.rejected)} files are rejected, the first, {one.path}: {one.reason}"
