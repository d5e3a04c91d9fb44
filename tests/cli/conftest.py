"""Shared by the tests of commands."""

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from pasted import paste
from PIL import Image
from predicting import CONVATLAS, GREEN, RED, Run
from tiny_bundle import tiny_bundle

NUMBERS = itertools.count()


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The place of one of the networks in `pasted`, importable from the working directory."""
    package = f"pasted{next(NUMBERS)}"
    paste(tmp_path, package)
    monkeypatch.chdir(tmp_path)
    return lambda name: f"{package}.good:{name}"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with a cache of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONVATLAS_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    return tiny_bundle(tmp_path / "t.convatlas").name


@pytest.fixture
def pics(tmp_path: Path) -> str:
    """Twelve pictures, red and green in turn; one broken, and two files that are none."""
    for number in range(12):
        path = tmp_path / "pics" / ("even" if number % 2 == 0 else "odd") / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (20, 30), RED if number % 2 == 0 else GREEN).save(path)
    (tmp_path / "pics" / "odd" / "07.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    (tmp_path / "pics" / "list.txt").touch()
    (tmp_path / "pics" / "odd" / "list.txt").touch()
    return "pics"


@pytest.fixture
def predict() -> Run:
    def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CONVATLAS, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run
