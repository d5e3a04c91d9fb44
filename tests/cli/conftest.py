"""Shared by the tests of commands."""

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from pasted import paste

NUMBERS = itertools.count()


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The place of one of the networks in `pasted`, importable from the working directory."""
    package = f"pasted{next(NUMBERS)}"
    paste(tmp_path, package)
    monkeypatch.chdir(tmp_path)
    return lambda name: f"{package}.good:{name}"
