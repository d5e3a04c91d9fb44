import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from convatlas import files
from convatlas.errors import UserError
from convatlas.files import check_new, check_readable, make_folder, umask, write_atomically


@pytest.fixture
def strict() -> Iterator[int]:
    before = os.umask(0o027)
    yield 0o027
    os.umask(before)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_the_umask_is_read_without_setting_it(strict: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "umask")
    found = umask()
    monkeypatch.undo()
    assert found == strict


@pytest.mark.parametrize("status", ["Name:\tpython\n", None])
def test_elsewhere_it_is_set_and_put_back(
    status: str | None, strict: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "STATUS", tmp_path / "status")
    if status:
        (tmp_path / "status").write_text(status)
    assert umask() == umask() == strict


def test_a_written_file_has_the_rights_of_any_other(strict: int, tmp_path: Path) -> None:
    write_atomically(tmp_path / "a", "text")
    assert (tmp_path / "a").read_text() == "text"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_file_that_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    check_readable(tmp_path / "file")
    for name, said in (
        ("none", "there is no file .*none$"),
        ("", "is a folder; give the file in it$"),
        ("file/a", "cannot read .*file/a: Not a directory$"),
        ("x" * 300, "cannot read .*: File name too long$"),
    ):
        with pytest.raises(UserError, match=said):
            check_readable(tmp_path / name)


@pytest.mark.skipif(sys.platform == "win32", reason="has no such pipes")
def test_a_pipe_is_left_to_its_reader(tmp_path: Path) -> None:
    """Opening it would wait for a writer, who would be gone when it is opened again."""
    os.mkfifo(tmp_path / "pipe")
    check_readable(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["full", "full/file", "x" * 300])
def test_what_is_no_new_folder_is_refused_alike_before_and_when_it_is_made(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(UserError) as before:
        check_new(tmp_path / name)
    with pytest.raises(UserError) as made:
        make_folder(tmp_path / name)
    assert str(before.value).partition(": ")[0] == str(made.value).partition(": ")[0]


def test_a_new_folder_is_not_made_by_asking(tmp_path: Path) -> None:
    check_new(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    check_new(tmp_path)
