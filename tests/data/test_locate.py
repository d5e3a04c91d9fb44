from pathlib import Path

import pytest

from convatlas.data import download, locate
from convatlas.data.locate import Source
from convatlas.errors import UserError

FILES = {"one.gz": "11", "two.gz": "22"}


@pytest.fixture(autouse=True)
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path, str]]:
    """No variable, an empty cache, and downloads that only note what they were asked."""
    asked: list[tuple[str, Path, str]] = []

    def note(url: str, path: Path, *, sha256: str) -> None:
        asked.append((url, path, sha256))

    monkeypatch.delenv(locate.VARIABLE, raising=False)
    monkeypatch.setattr(locate, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(download, "download", note)
    return asked


def source(system: Path | None = None) -> Source:
    return Source("some-set", "http://host/path/", FILES, system)


def fill(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names or FILES:
        (folder / name).touch()
    return folder


def test_the_users_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "cache" / "some-set")
    mine = fill(tmp_path / "mine")
    monkeypatch.setenv("CONVATLAS_DATA", str(mine))
    assert locate.locate(source()) == mine


def test_a_folder_of_the_sets_name_inside_it_is_preferred(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = fill(tmp_path / "mine")
    inner = fill(mine / "some-set")
    monkeypatch.setenv("CONVATLAS_DATA", str(mine))
    assert locate.locate(source()) == inner


def test_then_the_cache_then_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fetched: list[object]
) -> None:
    system = fill(tmp_path / "system")
    monkeypatch.setenv("CONVATLAS_DATA", str(fill(tmp_path / "mine", "one.gz")))
    assert locate.locate(source(system)) == system
    cache = fill(tmp_path / "cache" / "some-set")
    assert locate.locate(source(system)) == cache
    assert fetched == []


def test_only_what_the_cache_lacks_is_downloaded(tmp_path: Path, fetched: list[object]) -> None:
    cache = fill(tmp_path / "cache" / "some-set", "one.gz")
    assert locate.locate(source(tmp_path / "no-such-system")) == cache
    assert fetched == [("http://host/path/two.gz", cache / "two.gz", "22")]


def test_a_variable_that_names_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVATLAS_DATA", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"CONVATLAS_DATA is .*none', which is no folder"):
        locate.locate(source())


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert locate.cache_folder().name == "convatlas"
