from pathlib import Path

import pytest

from convatlas.data.class_folders import ClassFolders, class_folders, pictures_alone
from convatlas.errors import UserError


def made(path: Path, *folders: str) -> Path:
    for folder in folders:
        (path / folder).mkdir(parents=True)
    return path


def test_classes_by_name_and_a_test_part_apart(tmp_path: Path) -> None:
    plain = made(tmp_path / "plain", "b", "a", ".hidden")
    assert class_folders(plain) == ClassFolders(("a", "b"), plain, None)
    for name in ("test", "val"):
        path = made(tmp_path / name, "train/b", "train/a", f"{name}/a")
        assert class_folders(path) == ClassFolders(("a", "b"), path / "train", path / name)


def test_a_class_that_is_only_tested_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"test has the class 'c', .* \(it has a, b\)"):
        class_folders(made(tmp_path, "train/a", "train/b", "test/c"))


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^cannot list .*x{300}: File name too long$"):
        class_folders(tmp_path / ("x" * 300))


def test_pictures_alone_are_those_of_a_folder_without_folders(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", ".c.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in pictures_alone(tmp_path)] == ["a.JPG", "b.png"]
    assert pictures_alone(tmp_path / "a.JPG") == []
    (tmp_path / "d").mkdir()
    assert pictures_alone(tmp_path) == []
