import sys
from pathlib import Path

import pytest

from convatlas.errors import UserError
from convatlas.workbench.place import check_place, parts_of


def test_a_place_is_a_module_and_names_in_it() -> None:
    assert parts_of("a.b:c.d") == ("a.b", ["c", "d"])
    for wrong in ("a:", ":b", "a-b:c", "a:b:c", "a.:b", "a/b:c"):
        with pytest.raises(UserError, match="is no place of a network; write package"):
            parts_of(wrong)


def test_a_package_is_found_and_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Importing it may draw weights, which must be done where torch's seed is set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raises_when_imported.py").write_text("1 / 0\n")
    before = list(sys.path)
    check_place("raises_when_imported:net")
    check_place("raises_when_imported.deeper:net")
    assert "raises_when_imported" not in sys.modules
    assert sys.path == before


def test_a_package_that_is_nowhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no module 'nowhere\.at' that can be imported from"):
        check_place("nowhere.at:all")


def test_the_running_program_is_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)  # as of a script
    check_place("__main__:net")
