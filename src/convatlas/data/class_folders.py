"""The class folders of a folder of pictures; no file is opened or counted, and no torch imported.

PATH/CLASS/... or PATH/train/CLASS/... with PATH/test/CLASS/... (without it, PATH/val).
"""

from dataclasses import dataclass
from pathlib import Path

from convatlas.data.extensions import EXTENSIONS
from convatlas.errors import UserError


@dataclass(frozen=True, slots=True)
class ClassFolders:
    """The classes in the order of their labels, and in which folders they lie."""

    classes: tuple[str, ...]
    train: Path
    test: Path | None  # if it is a folder of its own


def class_folders(path: Path) -> ClassFolders:
    """Find them; `UserError` if there are none."""
    try:
        if not path.is_dir():
            what = "is not a folder" if path.exists() else "does not exist"
            raise UserError(f"{path} {what}; expected a folder with one sub-folder per class")
        test = next((path / name for name in ("test", "val") if (path / name).is_dir()), None)
        if test is None or not (path / "train").is_dir():
            return ClassFolders(_classes(path), path, None)
        classes = _classes(path / "train")
        _check_known(test, classes)
    except OSError as error:
        raise UserError(f"cannot list {error.filename}: {error.strerror}") from error
    return ClassFolders(classes, path / "train", test)


def pictures_alone(path: Path) -> list[Path]:
    """The pictures of a folder without folders; none if it has any, or is none itself."""
    try:
        entries = sorted(each for each in path.iterdir() if not each.name.startswith("."))
        if any(each.is_dir() for each in entries):
            return []
    except OSError:
        return []
    return [each for each in entries if each.suffix.lower() in EXTENSIONS]


def _classes(path: Path) -> tuple[str, ...]:
    """The names of the class folders, sorted: their order is the labels' order."""
    names = tuple(folder.name for folder in _class_folders(path))
    if len(names) < 2:
        found = f"only {names[0]!r}" if names else "none"
        raise UserError(
            f"{path} has {found} of at least two class folders; expected PATH/CLASS/picture, "
            f"or PATH/train/CLASS/picture with PATH/test (or PATH/val)"
        )
    return names


def _class_folders(path: Path) -> list[Path]:
    """Visible folders, but no link to a folder that contains the data set itself."""
    return [
        folder
        for folder in sorted(path.iterdir(), key=lambda entry: entry.name)
        if not folder.name.startswith(".")
        and folder.is_dir()
        and not path.resolve().is_relative_to(folder.resolve())
    ]


def _check_known(test: Path, classes: tuple[str, ...]) -> None:
    """A class that is never trained cannot be tested."""
    unknown = [folder.name for folder in _class_folders(test) if folder.name not in classes]
    if unknown:
        raise UserError(
            f"{test} has the class {unknown[0]!r}, which the training part lacks "
            f"(it has {', '.join(classes)}); add or remove it"
        )
