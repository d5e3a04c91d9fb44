from pathlib import Path

import pytest

from convatlas.data.names import NAMES, check_data, folder_of
from convatlas.errors import UserError


def test_names_and_folders_with_classes_pass(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    for data in (*NAMES, f"folder:{tmp_path}"):
        check_data(data)
        check_data(data, labelled=False)


def test_pictures_without_classes_will_do_where_no_labels_are_needed(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    check_data(f"folder:{tmp_path}", labelled=False)
    with pytest.raises(UserError, match="has none of at least two class folders"):
        check_data(f"folder:{tmp_path}")


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("mnits", "unknown data set 'mnits'; did you mean 'mnist'"),
        ("folder:none", "none does not exist; expected a folder"),
        ("folder:", "'folder:' names no folder; expected folder:PATH"),
    ],
)
def test_what_is_not_there_is_refused(data: str, said: str, labelled: bool) -> None:
    with pytest.raises(UserError) as caught:
        check_data(data, labelled=labelled)
    assert str(caught.value).startswith(said)


def test_a_folder_without_its_prefix_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pictures").mkdir()
    with pytest.raises(UserError, match=r"did you mean folder:pictures\?"):
        check_data("pictures")


def test_home_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert folder_of("folder:~/a") == Path("/home/me/a")
