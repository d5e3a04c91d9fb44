import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from convatlas.cache import VARIABLE, cache_folder


def test_the_variable_moves_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "there"))
    assert cache_folder() == tmp_path / "there"
    monkeypatch.setenv(VARIABLE, "~/there")
    assert cache_folder() == Path.home() / "there"


@pytest.mark.parametrize("xdg", [None, "", "/somewhere/else"])
def test_otherwise_it_is_where_the_system_has_it(
    xdg: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert cache_folder() == Path(platformdirs.user_cache_dir("convatlas"))


def test_it_is_not_made_and_costs_nothing_to_ask() -> None:
    code = (
        "import sys; from convatlas.cache import cache_folder; print(cache_folder().exists())\n"
        "assert not {'pooch', 'platformdirs', 'tempfile', 'numpy'} & set(sys.modules)"
    )
    environment = os.environ | {VARIABLE: "/no/such/folder"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert ran.stdout == "False\n"
