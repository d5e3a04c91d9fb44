import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from convatlas import files
from convatlas.files import umask, write_atomically


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
