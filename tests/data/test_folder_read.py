from pathlib import Path

import pytest
import torch
from PIL import Image

from convatlas.data.dataset import Rejected
from convatlas.data.folder_read import Form, check_memory, in_threads, peeks, read
from convatlas.data.folder_scan import Item, Part
from convatlas.errors import UserError

TINY = Form(channels=1, height=2, width=3, resize=False)


def grey(path: Path, value: int) -> Path:
    Image.new("L", (3, 2), value).save(path)
    return path


def test_pictures_keep_their_order(tmp_path: Path) -> None:
    items = tuple(Item(grey(tmp_path / f"{n}.png", n), n % 3) for n in range(100))
    pictures = read(Part(items), TINY)
    assert pictures.images.shape == (100, 1, 2, 3)
    assert pictures.images[:, 0, 1, 2].tolist() == list(range(100))
    assert pictures.labels.tolist() == [n % 3 for n in range(100)]
    assert (pictures.images.dtype, pictures.labels.dtype) == (torch.uint8, torch.int64)


def test_failures_leave_no_gaps_and_are_listed_after_the_strays(tmp_path: Path) -> None:
    items = []
    for number in range(10):
        path = grey(tmp_path / f"{number}.png", number)
        if number in (0, 4, 5, 9):
            path.write_bytes(b"")
        items.append(Item(path, number))
    stray = Rejected("notes.txt", "not a picture")
    pictures = read(Part(tuple(items), (stray,)), TINY)
    assert pictures.labels.tolist() == [1, 2, 3, 6, 7, 8]
    assert pictures.images[:, 0, 0, 0].tolist() == [1, 2, 3, 6, 7, 8]
    assert pictures.rejected == (
        stray,
        *(Rejected(str(tmp_path / f"{n}.png"), "the file is empty") for n in (0, 4, 5, 9)),
    )


def test_a_picture_of_another_size_is_rejected_by_name(tmp_path: Path) -> None:
    Image.new("L", (5, 4)).save(tmp_path / "a.png")
    [file] = read(Part((Item(tmp_path / "a.png", 0),)), TINY).rejected
    assert file.path.endswith("a.png")
    assert "is 5 x 4, the training pictures are 3 x 2; give --size N" in file.reason


def test_resizing_when_asked(tmp_path: Path) -> None:
    Image.new("RGB", (5, 4)).save(tmp_path / "a.png")
    form = Form(channels=3, height=7, width=7, resize=True)
    assert read(Part((Item(tmp_path / "a.png", 0),)), form).images.shape == (1, 3, 7, 7)


def test_an_empty_part() -> None:
    assert read(Part(()), TINY).images.shape == (0, 1, 2, 3)


def test_headers_with_none_where_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "b.png").touch()
    items = [Item(grey(tmp_path / "a.png", 1), 0), Item(tmp_path / "b.png", 0)]
    first, second = peeks(items)
    assert first is not None
    assert (first.width, first.height, first.grey) == (3, 2, True)
    assert second is None


def test_too_much_for_memory_says_how_much_and_what_would_fit() -> None:
    with pytest.raises(UserError, match=r"1281167 pictures of 224 x 224 need 179\.6 GiB") as caught:
        check_memory(1_281_167, Form(channels=3, height=224, width=224, resize=True))
    assert "the limit is 4 GiB; give --size 33 or smaller" in str(caught.value)
    check_memory(1_281_167, Form(channels=3, height=33, width=33, resize=True))


def test_an_error_in_a_thread_comes_out() -> None:
    def fail(number: int) -> int:
        raise UserError(str(number))

    with pytest.raises(UserError, match=r"^0$"):
        in_threads(fail, range(100))
