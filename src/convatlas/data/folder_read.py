"""Decoding many files into one tensor, in order, with the failures listed."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from convatlas.data.dataset import Pictures, Rejected
from convatlas.data.decode import DecodeError, Peek, decode, peek
from convatlas.data.folder_scan import Item, Part
from convatlas.errors import UserError

MOST_BYTES = 4 << 30
GIB = 1 << 30

T_in = TypeVar("T_in")
T_out = TypeVar("T_out")


@dataclass(frozen=True, slots=True)
class Form:
    """What every picture becomes; ``resize`` if the user asked for a size."""

    channels: int
    height: int
    width: int
    resize: bool


def read(part: Part, form: Form) -> Pictures:
    """All pictures of one part at ``form``; what fails joins the part's rejected files."""
    check_memory(len(part.items), form)
    count = len(part.items)
    images = torch.empty(count, form.channels, form.height, form.width, dtype=torch.uint8)

    def place(index: int) -> str | None:
        return _place(part.items[index].path, images[index], form)

    reasons = in_threads(place, range(count))
    kept = [index for index, reason in enumerate(reasons) if reason is None]
    for to, index in enumerate(kept):
        if to != index:  # close the gaps in place: a second tensor might not fit
            images[to] = images[index]
    failed = tuple(
        Rejected(str(item.path), reason)
        for item, reason in zip(part.items, reasons, strict=True)
        if reason is not None
    )
    labels = torch.tensor([part.items[index].label for index in kept], dtype=torch.int64)
    return Pictures(images[: len(kept)], labels, part.rejected + failed)


def peeks(items: Sequence[Item]) -> list[Peek | None]:
    """Every header; None where there is none to read, which decoding will report."""

    def look(item: Item) -> Peek | None:
        try:
            return peek(item.path)
        except DecodeError:
            return None

    return in_threads(look, items)


def check_memory(count: int, form: Form) -> None:
    """Refuse before anything is decoded."""
    total = count * form.channels * form.height * form.width
    if total > MOST_BYTES:
        fits = math.isqrt(MOST_BYTES // (count * form.channels))
        raise UserError(
            f"{count} pictures of {form.width} x {form.height} need {total / GIB:.1f} GiB of "
            f"memory, the limit is {MOST_BYTES / GIB:.0f} GiB; give --size {fits} or smaller"
        )


def in_threads(work: Callable[[T_in], T_out], over: Sequence[T_in]) -> list[T_out]:
    """The results in the order of the inputs; Pillow decodes off the interpreter lock."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, over))


def _place(path: Path, into: Tensor, form: Form) -> str | None:
    """Decode one file into its row; the reason if that fails."""
    try:
        size = form.height if form.resize else None
        pixels = decode(path, channels=form.channels, size=size)
    except DecodeError as error:
        return error.reason
    height, width = pixels.shape[1:]
    if (height, width) != (form.height, form.width):
        return (
            f"is {width} x {height}, the training pictures are {form.width} x {form.height}; "
            "give --size N to resize all of them"
        )
    into.numpy()[:] = pixels
    return None
