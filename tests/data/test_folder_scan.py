from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data.folder_scan import TEST_SHARE, Part, digest, scan
from convatlas.errors import UserError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def many(root: Path, count: int = 10, classes: str = "ab") -> Path:
    return touch(root, *(f"{name}/{number}.png" for name in classes for number in range(count)))


def names(part: Part, root: Path) -> list[str]:
    return [item.path.relative_to(root).as_posix() for item in part.items]


def reasons(part: Part, root: Path) -> dict[str, str]:
    return {Path(one.path).relative_to(root).as_posix(): one.reason for one in part.rejected}


def test_classes_are_sorted_and_labelled_in_that_order(tmp_path: Path) -> None:
    layout = scan(many(tmp_path, 5, "ca"))
    assert layout.classes == ("a", "c")
    assert {(i.path.parent.name, i.label) for i in layout.train.items} == {("a", 0), ("c", 1)}


def test_one_in_five_of_every_class_is_cut_off(tmp_path: Path) -> None:
    layout = scan(many(tmp_path, 20))
    train, test = names(layout.train, tmp_path), names(layout.test, tmp_path)
    assert [sum(name.startswith(c) for name in test) for c in "ab"] == [4, 4]
    assert len(train) == 32
    assert not set(train) & set(test)
    assert train == sorted(train, key=lambda name: (name[0], Path(name).name))


def test_the_cut_is_this_one_for_ever(tmp_path: Path) -> None:
    layout = scan(many(tmp_path, 10))
    assert names(layout.test, tmp_path) == ["a/1.png", "a/6.png", "b/3.png", "b/8.png"]


def test_the_cut_depends_on_names_and_not_on_place_or_file_order(tmp_path: Path) -> None:
    first = many(tmp_path / "one" / "deep", 30)
    second = tmp_path / "two"
    for path in sorted(first.rglob("*.png"), reverse=True):
        touch(second, path.relative_to(first).as_posix())
    assert names(scan(first).test, first) == names(scan(second).test, second)


def test_a_new_file_moves_hardly_any_other(tmp_path: Path) -> None:
    before = set(names(scan(many(tmp_path, 50)).test, tmp_path))
    after = set(names(scan(touch(tmp_path, "a/new.png")).test, tmp_path))
    assert len(before ^ after) <= 2


def test_classes_too_small_to_cut(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="4 pictures in 2 classes are too few to cut"):
        scan(many(tmp_path, 2))


@pytest.mark.parametrize("test", ["test", "val"])
def test_a_layout_with_its_own_test_part(tmp_path: Path, test: str) -> None:
    layout = scan(touch(tmp_path, "train/a/1.png", "train/b/1.png", f"{test}/b/2.png"))
    assert names(layout.train, tmp_path) == ["train/a/1.png", "train/b/1.png"]
    assert names(layout.test, tmp_path) == [f"{test}/b/2.png"]
    assert layout.test.items[0].label == 1


def test_with_both_the_test_folder_is_the_test_part(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/1.png", "val/a/2.png", "test/a/3.png")
    assert names(scan(tmp_path).test, tmp_path) == ["test/a/3.png"]


def test_a_class_that_only_the_test_part_has(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/1.png", "test/c/2.png")
    with pytest.raises(UserError, match=r"test has the class 'c', which the training part lacks"):
        scan(tmp_path)


def test_missing_or_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none does not exist; expected a folder with one"):
        scan(tmp_path / "none")
    with pytest.raises(UserError, match=r"a\.png is not a folder"):
        scan(touch(tmp_path, "a.png") / "a.png")


def test_no_class_or_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has none of at least two class folders"):
        scan(touch(tmp_path, "1.png", ".hidden/2.png"))
    with pytest.raises(UserError, match="has only 'train' of at least two class folders"):
        scan(touch(tmp_path, "train/a/1.png"))


def test_what_is_reported_and_what_is_ignored(tmp_path: Path) -> None:
    many(tmp_path)
    touch(tmp_path, "a/notes.txt", "a/.DS_Store", ".git/x.png", "b/c.gif", "b/none", "stray.JPG")
    touch(tmp_path, "README.md", "a/.thumbs/x.png")
    layout = scan(tmp_path)
    assert reasons(layout.train, tmp_path) == {
        "stray.JPG": "lies outside every class folder",
        "a/notes.txt": "not one of .jpg .jpeg .png .webp .bmp",
        "b/c.gif": "not one of .jpg .jpeg .png .webp .bmp",
        "b/none": "not one of .jpg .jpeg .png .webp .bmp",
    }
    assert layout.test.rejected == ()
    assert len(layout.train.items) + len(layout.test.items) == 20


def test_each_part_reports_its_own(tmp_path: Path) -> None:
    touch(tmp_path, "train/a/1.png", "train/b/1.png", "test/a/x.txt", "test/b/2.png")
    layout = scan(tmp_path)
    assert layout.train.rejected == ()
    assert list(reasons(layout.test, tmp_path)) == ["test/a/x.txt"]


def test_extensions_in_any_case_and_nested_folders(tmp_path: Path) -> None:
    many(tmp_path)
    extra = ["a/x.JPG", "a/x.Jpeg", "a/in/x.WEBP", "a/in/deeper/x.bmp"]
    layout = scan(touch(tmp_path, *extra))
    found = names(layout.train, tmp_path) + names(layout.test, tmp_path)
    assert set(extra) < set(found)


def test_links(tmp_path: Path) -> None:
    root = many(tmp_path / "set")
    elsewhere = touch(tmp_path / "elsewhere", "1.png", "2.png", "3.png")
    (root / "linked").symlink_to(elsewhere)  # a class folder may be a link
    (root / "loop").symlink_to(root)  # but not to what contains it
    (root / "up").symlink_to(tmp_path)
    (root / "a" / "again").symlink_to(root / "b")
    (root / "a" / "gone.png").symlink_to(root / "nowhere.png")
    (root / "a" / "good.png").symlink_to(elsewhere / "1.png")
    layout = scan(root)
    assert layout.classes == ("a", "b", "linked")
    assert reasons(layout.train, root) == {
        "a/again": "a link to a folder, not followed",
        "a/gone.png": "not a regular file, or a broken link",
    }
    assert len(layout.train.items) + len(layout.test.items) == 24


def test_the_digest_covers_paths_and_sizes_of_both_parts(tmp_path: Path) -> None:
    before = digest(scan(many(tmp_path)), tmp_path)
    assert digest(scan(tmp_path), tmp_path) == before
    seen = {before}
    for item in (*scan(tmp_path).train.items[:1], *scan(tmp_path).test.items[:1]):
        item.path.write_bytes(b"x")
        seen.add(digest(scan(tmp_path), tmp_path))
    (tmp_path / "a" / "0.png").rename(tmp_path / "a" / "zero.png")
    seen.add(digest(scan(tmp_path), tmp_path))
    assert len(seen) == 4


@settings(deadline=None)  # files are touched: a loaded machine may be slow
@given(st.lists(st.integers(3, 23), min_size=2, max_size=3))
def test_the_share_is_one_in_five_rounded(counts: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, count in enumerate(counts):
            touch(root, *(f"{name}/{number}.png" for number in range(count)))
        test = scan(root).test.items
    for label, count in enumerate(counts):
        cut = sum(item.label == label for item in test)
        assert abs(cut - count / TEST_SHARE) <= 0.5
