from pathlib import Path

import pytest
import torch
from PIL import Image

from convatlas.data import folder_read
from convatlas.data.check import PIXELS
from convatlas.data.folder import FILES, load_folder
from convatlas.errors import UserError


def fill(
    root: Path, names: str, *, count: int = 5, mode: str = "RGB", size: tuple[int, int] = (4, 4)
) -> Path:
    for name in names:
        (root / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            Image.new(mode, size, number).save(root / name / f"{number}.png")
    return root


def split(root: Path) -> Path:
    fill(root / "train", "ab")
    fill(root / "test", "ab", count=2)
    return root


def test_a_folder_with_a_cut(tmp_path: Path) -> None:
    dataset = load_folder(fill(tmp_path, "ab"))
    assert dataset.name == f"folder:{tmp_path}"
    assert dataset.classes == ("a", "b")
    assert dataset.train.images.shape == (8, 3, 4, 4)
    assert dataset.train.labels.tolist() == [0] * 4 + [1] * 4
    assert dataset.test.open("eval").labels.tolist() == [0, 1]
    assert list(dataset.checksums) == [FILES, PIXELS]


def test_a_changed_pixel_changes_the_checksum(tmp_path: Path) -> None:
    root = split(tmp_path)
    before = load_folder(root).checksums
    Image.new("RGB", (4, 4), 3).save(root / "train" / "a" / "2.png")
    after = load_folder(root).checksums
    assert after[PIXELS] != before[PIXELS]


def test_no_test_file_is_opened_before_the_seal(tmp_path: Path) -> None:
    root = split(tmp_path)
    for path in (root / "test").rglob("*.png"):
        path.write_bytes(b"not a picture")
    dataset = load_folder(root)
    with pytest.raises(UserError, match=r"no usable picture: all 4 files are rejected, the first"):
        dataset.test.open("eval")
    Image.new("RGB", (4, 4)).save(root / "test" / "b" / "0.png")
    pictures = dataset.test.open("eval")
    assert pictures.labels.tolist() == [1]
    assert len(pictures.rejected) == 3
    assert len(dataset.test.openings) == 2


def test_grey_only_if_every_training_picture_is_grey(tmp_path: Path) -> None:
    root = fill(tmp_path / "grey", "ab", mode="L")
    assert load_folder(root).train.images.shape[1] == 1
    assert load_folder(root, channels=3).train.images.shape[1] == 3
    assert load_folder(root, size=2).train.images.shape == (8, 1, 2, 2)
    fill(root, "c", mode="RGB")
    assert load_folder(root).train.images.shape[1] == 3
    assert load_folder(root, channels=1).train.images.shape[1] == 1


def test_without_a_size_all_must_be_alike(tmp_path: Path) -> None:
    fill(tmp_path, "a", size=(4, 6))
    fill(tmp_path, "b", size=(5, 6))
    with pytest.raises(UserError, match=r"/a/\d\.png is 4 x 6 and .*/b/\d\.png is 5 x 6.*--size N"):
        load_folder(tmp_path)
    assert load_folder(tmp_path, size=8).train.images.shape == (8, 3, 8, 8)


def test_pictures_need_not_be_square(tmp_path: Path) -> None:
    assert load_folder(fill(tmp_path, "ab", size=(5, 3))).train.images.shape == (8, 3, 3, 5)


def test_a_test_picture_of_another_size_is_named(tmp_path: Path) -> None:
    root = split(tmp_path)
    Image.new("RGB", (9, 9)).save(root / "test" / "b" / "0.png")
    dataset = load_folder(root)
    [file] = dataset.test.open("eval").rejected
    assert file.path.endswith("test/b/0.png")
    assert "is 9 x 9, the training pictures are 4 x 4" in file.reason


def test_a_broken_picture_is_reported_and_the_rest_used(tmp_path: Path) -> None:
    root = split(tmp_path)
    (root / "train" / "a" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    train = load_folder(root).train
    assert len(train.labels) == len(train.images) == 9
    assert [Path(one.path).name for one in train.rejected] == ["2.png"]
    assert train.rejected[0].reason.startswith("broken or cut off")


def test_a_class_without_a_usable_picture(tmp_path: Path) -> None:
    root = split(tmp_path)
    for path in (root / "train" / "b").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"class 'b' in .* has no usable training picture"):
        load_folder(root)
    (root / "train" / "c").mkdir()
    fill(root / "train", "b")
    with pytest.raises(UserError, match=r"class 'c' in .* has no usable training picture"):
        load_folder(root)


@pytest.mark.parametrize("size", [None, 4])
def test_all_files_rejected(tmp_path: Path, size: int | None) -> None:
    root = fill(tmp_path, "ab")
    for path in root.rglob("*.png"):
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"all 8 files are rejected, the first, .*: the file is em"):
        load_folder(root, size=size)


def test_classes_that_are_empty(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no usable training picture; put pictures into"):
        load_folder(fill(tmp_path, "ab", count=0))


@pytest.mark.parametrize("channels", [None, 3])
def test_memory_is_checked_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int | None
) -> None:
    root = fill(tmp_path, "ab")
    monkeypatch.setattr(folder_read, "decode", pytest.fail)
    with pytest.raises(UserError, match=r"8 pictures of 40000 x 40000 need .* give --size \d+"):
        load_folder(root, size=40_000, channels=channels)


def test_a_size_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="size is 0"):
        load_folder(fill(tmp_path, "ab"), size=0)


def test_the_same_folder_gives_the_same_data(tmp_path: Path) -> None:
    root = fill(tmp_path, "abc", count=7)
    first, second = load_folder(root), load_folder(root)
    assert torch.equal(first.train.images, second.train.images)
    assert first.checksums == second.checksums


def test_a_folder_that_may_not_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    fill(tmp_path, "ab")
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(UserError, match=r"cannot list .*: Permission denied"):
        load_folder(tmp_path)
