"""What data sets are called, and whether a folder is one; imports no torch."""

import os
from pathlib import Path

from convatlas.data.class_folders import class_folders, pictures_alone
from convatlas.errors import UserError
from convatlas.nearest import closest

NAMES = ("mnist", "fashion-mnist", "cifar10", "cifar100")
FOLDER = "folder:"


def check_data(name: str, *, labelled: bool = True) -> None:
    """Raise `UserError` for what is neither a named set nor a folder with one for each class.

    Not ``labelled``: a folder of pictures will do. No file is opened, and none is counted.
    """
    if name.startswith(FOLDER):
        path = folder_of(name)
        if labelled or not pictures_alone(path):
            class_folders(path)
    elif name not in NAMES:
        raise unknown_data(name)


def folder_of(name: str) -> Path:
    """The path in ``folder:PATH``; `UserError` if there is none."""
    if name == FOLDER:
        raise UserError(f"{name!r} names no folder; expected {FOLDER}PATH")
    return Path(name.removeprefix(FOLDER)).expanduser()


def unknown_data(name: str) -> UserError:
    """With the nearest known name, or the prefix if it looks like a path."""
    hint = closest(name.lower(), NAMES)
    if not hint and os.path.isdir(Path(name).expanduser()):
        hint = f"; did you mean {FOLDER}{name}?"
    return UserError(
        f"unknown data set {name!r}{hint or ';'} Known: {', '.join(NAMES)}, and {FOLDER}PATH "
        f"for a folder with one sub-folder per class"
    )
