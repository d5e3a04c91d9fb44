from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convatlas.errors import UserError
from convatlas.workbench.real_pictures import COUNT, of_folder


def test_the_first_readable_pictures_below_a_folder(tmp_path: Path) -> None:
    for number in range(COUNT + 3):
        place = tmp_path / ("b" if number % 2 else "a")
        place.mkdir(exist_ok=True)
        Image.new("L", (9, 7), 10 * number).save(place / f"{number:02}.png")
    (tmp_path / "a" / "00.jpg").write_bytes(b"no picture")
    (tmp_path / "a" / "notes.txt").write_text("")
    found = of_folder(tmp_path, 1, 5)
    assert found.shape == (COUNT, 1, 5, 5)
    assert found.dtype == np.uint8
    assert found[:, 0, 0, 0].tolist() == [0, 20, 40, 60, 80, 100, 10, 30]


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        of_folder(tmp_path / "none", 1, 5)
    with pytest.raises(UserError, match=r"holds no picture that can be read$"):
        of_folder(tmp_path, 1, 5)
    (tmp_path / "x.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"can be read; the first of those tried, x\.png: not a"):
        of_folder(tmp_path, 1, 5)
