"""Which files a folder data set consists of, and which of them are its test part.

PATH/CLASS/... or PATH/train/CLASS/... with PATH/test/CLASS/... (without it, PATH/val). Only names
and sizes are looked at. Hidden files are ignored; every other file that cannot be a picture is
reported. Class folders may nest and may be links; links to folders further down are not followed.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convatlas.data.class_folders import class_folders
from convatlas.data.dataset import Rejected
from convatlas.data.extensions import EXTENSIONS as EXTENSIONS
from convatlas.errors import UserError

WRONG_EXTENSION = f"not one of {' '.join(EXTENSIONS)}"
TEST_SHARE = 5  # one picture in five
SALT = "convatlas test part 1:"  # changing it would move pictures between the parts


@dataclass(frozen=True, slots=True)
class Item:
    """A file that may be a picture, and the index of its class."""

    path: Path
    label: int


@dataclass(frozen=True, slots=True)
class Part:
    """Its files in order, and those that cannot be pictures."""

    items: tuple[Item, ...]
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything known without opening a file."""

    classes: tuple[str, ...]
    train: Part
    test: Part


def scan(path: Path) -> Layout:
    """Find the classes, and the test part or cut it."""
    found = class_folders(path)
    train = _part(found.train, found.classes)
    if found.test is None:
        return _cut(path, found.classes, train)
    return Layout(found.classes, train, _part(found.test, found.classes))


def digest(layout: Layout, path: Path) -> str:
    """SHA-256 over every file's path and size, both parts; cheap, and blind to their content."""
    lines = hashlib.sha256()
    for name in sorted(item.path for part in (layout.train, layout.test) for item in part.items):
        size = name.stat().st_size if name.exists() else -1
        lines.update(os.fsencode(f"{name.relative_to(path).as_posix()}\t{size}\n"))
    return lines.hexdigest()


def _part(path: Path, classes: tuple[str, ...]) -> Part:
    """All files of all classes, class by class, sorted by path."""
    items: list[Item] = []
    rejected = [
        Rejected(str(file), "lies outside every class folder")
        for file in sorted(path.iterdir())
        if file.suffix.lower() in EXTENSIONS and file.is_file() and not file.name.startswith(".")
    ]
    for label, name in enumerate(classes):
        if not (path / name).is_dir():
            continue  # a test part may lack a class
        for file in _files(path / name):
            if reason := _unusable(file):
                rejected.append(Rejected(str(file), reason))
            else:
                items.append(Item(file, label))
    return Part(tuple(items), tuple(rejected))


def _files(folder: Path) -> Iterator[Path]:
    """Everything visible below, in an order that no file system changes."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _files(entry)
        else:
            yield entry


def _unusable(file: Path) -> str | None:
    """Why it cannot be a picture, from its name and kind alone."""
    if file.is_dir():
        return "a link to a folder, not followed"
    if file.suffix.lower() not in EXTENSIONS:
        return WRONG_EXTENSION
    return None if file.is_file() else "not a regular file, or a broken link"


def _cut(path: Path, classes: tuple[str, ...], whole: Part) -> Layout:
    """One picture in five of every class, those whose hashed names come first.

    Hashing instead of drawing: adding or removing files moves hardly any other between the parts.
    Rejected files go with the training part, which is the one that is read.
    """
    test: set[Path] = set()
    of_class: dict[int, list[Path]] = {label: [] for label in range(len(classes))}
    for item in whole.items:
        of_class[item.label].append(item.path)
    for files in of_class.values():
        files.sort(key=lambda file: _rank(file.relative_to(path)))
        test.update(files[: round(len(files) / TEST_SHARE)])
    if whole.items and not test:
        raise UserError(
            f"{len(whole.items)} pictures in {len(classes)} classes are too few to cut a test "
            f"part from; give three or more per class, or a PATH/train and a PATH/test"
        )
    return Layout(
        classes,
        Part(tuple(item for item in whole.items if item.path not in test), whole.rejected),
        Part(tuple(item for item in whole.items if item.path in test)),
    )


def _rank(inside: Path) -> bytes:
    """From the path inside the data set, so that moving the whole set changes nothing."""
    return hashlib.sha256(os.fsencode(f"{SALT}{inside.as_posix()}")).digest()
