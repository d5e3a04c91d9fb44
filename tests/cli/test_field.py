import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from convatlas.cli import cli
from convatlas.errors import UserError


def field(*arguments: str) -> str:
    """The output of the command, errors raised."""
    ran = CliRunner().invoke(cli, ["field", *arguments])
    if isinstance(ran.exception, UserError):
        raise ran.exception
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_plain_layers() -> None:
    text = field("3 3 3")
    assert "receptive field  7x7\n" in text
    assert "coverage         49/49 pixels are read, no holes\n" in text
    assert "gridding" not in text
    assert "3  size 5 + (3 − 1)·1·1 = 7, jump 1·1 = 1, start 2 + (2/2 − 0)·1 = 3\n" in text
    assert text.count("■ ■ ■ ■ ■ ■ ■\n") == 7


def test_equal_dilations_leave_a_grid_and_the_way_out() -> None:
    text = field("3d2 3d2 3d2")
    assert "receptive field  13x13\n" in text
    assert "49/169 pixels are read (29.0%): gridding" in text
    assert 'suggestion       "3 3d2 3d3" sees 13x13, as large and without holes' in text
    assert text.count("■ · ■ · ■ · ■ · ■ · ■ · ■\n") == 7
    assert text.count("· · · · · · · · · · · · ·\n") == 6


def test_growing_dilations_leave_none() -> None:
    text = field("3d1 3d2 3d3")
    assert "receptive field  13x13\n" in text
    assert "169/169 pixels are read, no holes" in text


def test_strides_padding_and_axes() -> None:
    text = field("7s2p3 3s2p1 3p1 3x1p1x0")
    assert "receptive field  27x19\n" in text
    assert "jump             4, input pixels" in text
    assert "start            0, where" in text
    assert "         width:  size 19 + (1 − 1)·1·4 = 19" in text
    assert "every pixel of the 27x19 is read" in text
    assert "skipped          1 of every 3 rows and 1 of every 3 columns" in field("2s3")
    assert "suggestion       none found" in field("1s2 3")
    assert "the map of 65x65 is too large to print" in field("3d32")


def test_json_is_one_object() -> None:
    record = json.loads(field("3d2 3d2 3d2", "--json"))
    assert (record["size"], record["jump"], record["start"]) == ([13, 13], [1, 1], [6, 6])
    assert (record["pixels_read"], record["pixels"], record["gridding"]) == (49, 169, True)
    assert record["suggestion"] == "3 3d2 3d3"
    assert record["paths"][0] == [1, 0, 3, 0, 6, 0, 7, 0, 6, 0, 3, 0, 1]
    assert [layer["size"] for layer in record["layers"]] == [[5, 5], [9, 9], [13, 13]]
    assert json.loads(field("3", "--json"))["suggestion"] is None


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("csv", "2,3d2,9x9,1,4,25,81"),
        ("md", "| 2 | 3d2 | 9x9 | 1 | 4 | 25 | 81 |"),
        ("latex", r"2 & 3d2 & 9x9 & 1 & 4 & 25 & 81 \\"),
    ],
)
def test_tables_have_a_row_for_each_layer(form: str, line: str) -> None:
    assert line in field("3d2 3d2", f"--{form}").split("\n")


def test_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "map.svg"
    assert field("3d2 3d2", "--svg", str(path)).endswith(f"picture  {path}\n")
    assert ET.parse(path).getroot().tag.endswith("svg")
    json.loads(field("3d2 3d2", "--svg", str(path), "--json"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet5O"], "unknown network 'resnet5O'; did you mean 'resnet50'"),
        ([""], "needs at least one layer"),
        (["3s999 3s999 3"], "counted up to 20,000"),
        (["300", "--svg", "map.svg"], "too large to draw"),
        (["3", "--svg", "nowhere/map.svg"], "cannot write nowhere/map.svg"),
    ],
)
def test_bad_input_is_said_and_nothing_written(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        field(*arguments)
    assert list(tmp_path.iterdir()) == []
