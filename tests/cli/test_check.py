import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from convatlas.cli.check import command
from convatlas.errors import UserError

NOTE = "全连接 30×3000+3000 = 903000\n\n3x3x256x192=442,368\n(224-2+1)/2= 111.5=112\n"


def test_what_is_not_right_is_listed_and_the_status_says_so(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text(NOTE, encoding="utf-8")
    ran = CliRunner().invoke(command, [str(path)])
    assert ran.exit_code == 1
    assert ran.output.splitlines() == [
        "line  statement              verdict  comes to",
        "   1  30*3000+3000 = 903000  wrong    93,000",
        "   4  111.5=112              rounded  111.5",
        "4 statements: 1 wrong; 2 right; 1 rounded",
    ]


def test_a_right_note_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("3*4 = 12", encoding="utf-8")
    ran = CliRunner().invoke(command, [str(path)])
    assert (ran.exit_code, ran.output) == (0, "1 statements: 1 right\n")


def test_json_has_every_statement(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_text(NOTE, encoding="utf-8")
    records = json.loads(CliRunner().invoke(command, [str(path), "--json"]).output)
    assert [record["line"] for record in records] == [1, 3, 4, 4]
    assert records[0] == {
        "line": 1,
        "statement": "30*3000+3000 = 903000",
        "verdict": "wrong",
        "comes to": "93,000",
        "read as": "",
    }


def test_decimal_commas_are_said() -> None:
    note = "0,5 M * 2 = 1 M\n25,557,032 + 1 = 25,557,033\n"
    assert CliRunner().invoke(command, ["-"], input=note).output.splitlines() == [
        "2 statements: 2 right",
        "line 1: 0,5 read as 0.5",
    ]
    (first, _) = json.loads(CliRunner().invoke(command, ["-", "--json"], input=note).output)
    assert first["read as"] == "0,5 read as 0.5"


def test_standard_input() -> None:
    ran = CliRunner().invoke(command, ["-"], input="2*2 = 5")
    assert ran.exit_code == 1
    assert "2*2 = 5" in ran.output


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00bad"])
def test_unreadable_files_are_said(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "note"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"cannot read|no text in UTF-8"):
        CliRunner().invoke(command, [str(path)], catch_exceptions=False)
