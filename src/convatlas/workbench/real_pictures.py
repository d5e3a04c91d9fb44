"""A few real pictures to compare engines on: of a folder, or of what a run was validated on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from convatlas.data.extensions import EXTENSIONS
from convatlas.errors import UserError, argued

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from convatlas.training.card import Card

    Pictures = NDArray[np.uint8]  # (N, C, side, side)

COUNT = 8
MOST = 100_000  # pictures of a set


def check_folder(folder: Path) -> None:
    """Raise `UserError` for what is no folder, or holds no file that is named like a picture."""
    if not os.path.isdir(folder):
        raise argued(
            f"there is no folder {folder}; ",
            ("pictures", "--pictures"),
            " takes one with picture files",
        )
    if next(_files(folder), None) is None:
        raise UserError(f"{folder} holds no picture that can be read")


def of_folder(folder: Path, channels: int, side: int) -> "Pictures":
    """The first pictures below a folder, in the order of their names, that can be read.

    Raises `UserError` if there is none.
    """
    import numpy as np

    from convatlas.data.decode import DecodeError, decode

    check_folder(folder)
    found, problem = [], ""
    for path in _files(folder):
        try:
            found.append(decode(path, channels=channels, size=side))
        except DecodeError as error:
            problem = problem or f"; the first of those tried, {path.name}: {error.reason}"
        if len(found) == COUNT:
            break
    if not found:
        raise UserError(f"{folder} holds no picture that can be read{problem}")
    return np.stack(found)


def of_run(card: "Card") -> "Pictures | None":
    """Some pictures of a run's validation part (its training part if it has none).

    Never of its test part. ``None`` if the data is not at hand, is not what it was, or is so much
    that loading it would be what the user waits for.
    """
    from convatlas.data.load import is_at_hand, load
    from convatlas.data.split import split

    data = card.data
    if data.training + data.validation > MOST or not is_at_hand(data.name):
        return None
    try:
        dataset = load(data.name, size=data.size)
    except UserError:  # gone or broken since
        return None
    if dict(dataset.checksums) != data.checksums:
        return None
    part = dataset.train
    if data.validation:
        part = split(part, card.recipe.validation, data.split_seed)[1]
    return part.images[:: max(1, len(part.images) // COUNT)][:COUNT].numpy()


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.lower().endswith(EXTENSIONS):
                yield Path(place, name)
